//! The rules of a row of [`actions`](super::actions), and the code that a row becomes.

use crate::secrets::visible::Scope;

/// An action, as far as the host has to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// The name in the catalog: interface and function.
    pub(super) name: &'static str,
    /// The part of the store that a call sees.
    pub(super) sees: Sees,
    /// The path to the id of what an answer is about, if that is a connection or a sign-in.
    pub(super) about: &'static [&'static str],
}

/// The part of the store that a call of an action sees: a row of the table in decision 0015. What each may do is in
/// [`Scope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    /// The entries of the connection that it names, and what the host keeps.
    Own,
    /// The same, and it sends nothing.
    OwnOffline,
    /// The same as [`Own`](Self::Own), and the index of nicknames, to which it gives one back.
    OwnAndNickname,
    /// Those of its connection; and of all, what is no secret, for it tells whether a nickname is in use.
    OwnAndNames,
    /// Of all connections what is no secret.
    Names,
    /// The connection that it makes.
    NewConnection,
    /// The sign-in that it begins: for the connection that the request names, or for a new one.
    NewSignIn,
    /// The sign-in that it ends, and the connection that comes of it.
    SignIn,
}

/// The part of the store that a call sees, as soon as it is known what the call is about.
#[derive(Debug)]
pub(super) enum Sight {
    Known(Scope),
    /// That of a sign-in, which stands in the store.
    OfSignIn(String),
}

impl Row {
    /// The scope of a call about `subject`: the connection or the sign-in that it names, if it does.
    pub(super) fn sight(&self, subject: Option<&str>) -> Sight {
        let subject_or_none = subject.unwrap_or_default();
        Sight::Known(match self.sees {
            Sees::Own => Scope::connection(subject_or_none),
            Sees::OwnOffline => Scope::offline(subject_or_none),
            Sees::OwnAndNickname => Scope::disconnect(subject_or_none),
            Sees::OwnAndNames => Scope::rename(subject_or_none),
            Sees::Names => Scope::list(),
            Sees::NewConnection => Scope::connect(),
            Sees::NewSignIn => Scope::authorize(subject),
            Sees::SignIn => return Sight::OfSignIn(subject_or_none.to_owned()),
        })
    }

    /// The scope of a plan of such a call: what the call sees, to read.
    pub(super) fn planned(&self, connection: &str) -> Scope {
        match self.sight(Some(connection)) {
            Sight::Known(scope) => scope.planned(),
            // Its first request holds a code that works once, so the contract has no plan of it.
            Sight::OfSignIn(_) => Scope::nothing(),
        }
    }
}

/// Makes of each row a method of [`Host`](super::Host), a [`Row`], and a case of [`Action`](super::Action) if it can be
/// planned.
///
/// ```text
/// "interface.function": {
///     /// Documentation of the method.
///     fn method(arguments; deadline) -> Answer, passing the parameters as the bindings have them;
///     sees Sees, of the connection or sign-in that it is about;
///     answers about field.field;           if the answer has the id of a connection or a sign-in
///     is planned as Case(payload: Type), Binding;  if it can be
/// }
/// ```
macro_rules! actions {
    ($(
        $name:literal: {
            $(#[$doc:meta])*
            $visible:vis fn $method:ident($($argument:ident: $of:ty),* $(; $deadline:ident)?) -> $answer:ty,
                passing ($($passed:expr),*);
            sees $sees:ident $(, of $subject:expr)?;
            $(answers about $($about:ident).+;)?
            $(is planned as $case:ident $(($payload:ident: $payload_of:ty))?, $binding:ident;)?
        }
    )*) => {
        /// The actions of the contract.
        pub(super) const ROWS: &[Row] = &[
            $(Row { name: $name, sees: Sees::$sees, about: &[$($(stringify!($about)),+)?] },)*
        ];

        impl Host {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                #[doc = concat!("As `", $name, "` in `wit/`, or a [`HostError`].")]
                $visible async fn $method(
                    &self, $($argument: $of,)* $($deadline: Option<Duration>,)?
                ) -> Result<$answer, CallError> {
                    const ROW: Row =
                        Row { name: $name, sees: Sees::$sees, about: &[$($(stringify!($about)),+)?] };
                    let deadline = None$(.or($deadline))?;
                    let subject: Option<&str> = None$(.or($subject.into()))?;
                    let scope = self.scope(ROW, subject, deadline).await?;
                    let exports = &self.0.sandbox.exports;
                    self.call(scope, deadline, async |store, instance| {
                        let parameters = ($($passed,)* $(millis($deadline),)?);
                        let answer: Result<$answer, _> =
                            exports.call(&mut *store, instance, $name, parameters).await?;
                        $(if let Ok(answer) = &answer {
                            about_its_own(store, &answer.$($about).+)?;
                        })?
                        Ok(answer)
                    })
                    .await
                }
            )*
        }

        /// A call with its arguments, to be planned: what it would send, [`Host::plan`] tells.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum Action {
            $($(
                #[doc = concat!("[`Host::", stringify!($method), "`].")]
                $case $(($payload_of))?,
            )?)*
        }

        impl Action {
            /// The row of the action that is planned.
            fn row(&self) -> Row {
                let name = match self {
                    $($(Self::$case { .. } => $name,)?)*
                };
                *row(name).expect("an action that is planned has a row")
            }
        }

        impl From<Action> for generated::Action {
            fn from(action: Action) -> Self {
                match action {
                    $($(Action::$case $(($payload))? => Self::$binding $(($payload.into()))?,)?)*
                }
            }
        }
    };
}

pub(super) use actions;
