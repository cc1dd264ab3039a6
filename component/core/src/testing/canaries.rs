//! The secrets that Google, a host and a caller hand out here: one for each part that a secret plays.
//!
//! Each is in `tests/fixtures/canaries.json` too, so what a test run prints is searched for it.

macro_rules! registered {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $value;)*

        /// All of them, each with its name.
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $value)),*];
    };
}

registered! {
    /// The access token that a connection is made with.
    FIRST = "ya29.canary-First-4nW7pX";

    /// The one that is handed out next.
    SECOND = "ya29.canary-Second-9bK2vR";

    /// The one after that.
    THIRD = "ya29.canary-Third-6hT5mQ";

    /// One that another instance was given meanwhile.
    THEIRS = "ya29.canary-Theirs-3sZ8dL";

    /// The one that comes of a sign-in.
    SIGNED_IN = "ya29.canary-SignedIn-7wC1gN";

    /// The one of who impersonates.
    SOURCE = "ya29.canary-Source-2rF6jP";

    /// The one that shows that the impersonation is allowed.
    PROOF = "ya29.canary-Proof-8xM4tB";

    /// The one of who is impersonated.
    TARGET = "ya29.canary-Target-5kV9cH";

    /// The one that another provider's token is exchanged for.
    FEDERATED = "ya29.canary-Federated-1qD3wS";

    /// The one that the host supplies.
    SUPPLIED = "ya29.canary-Given-6yG2nJ";

    /// The one that the host has put in its place.
    SUPPLIED_ANEW = "ya29.canary-GivenAnew-4pL7zT";

    /// The refresh token of the user.
    REFRESH_FIRST = "1//0canary-First-8mR3kW";

    /// The one that Google puts in its place.
    REFRESH_SECOND = "1//0canary-Second-2cX6vF";

    /// One that another instance was given meanwhile.
    REFRESH_THEIRS = "1//0canary-Theirs-5tH9bQ";

    /// One that another instance has kept meanwhile.
    REFRESH_NEWER = "1//0canary-Newer-7jN4sD";

    /// The one that comes after that.
    REFRESH_NEWEST = "1//0canary-Newest-3gP8wZ";

    /// The one that comes of a sign-in.
    REFRESH_SIGNED_IN = "1//0canary-SignedIn-9fK1xM";

    /// The secret of the OAuth client.
    CLIENT_SECRET = "GOCSPX-canary-Secret-6vB2rT";

    /// The code that a sign-in ends with.
    CODE = "4/0canary-Consent-4dS7hL";

    /// A token of another provider.
    SUBJECT = "eyJ.canary-Subject-8nQ3cG";

    /// The one that the host has put in its place.
    SUBJECT_ANEW = "eyJ.canary-SubjectAnew-2wJ6pK";

    /// The signature of an ID token that nobody verifies.
    ID_TOKEN_SIGNATURE = "canary-Signed-5zR9mF";

    /// A credential that a caller shows to a function of its own.
    AUTHORIZATION = "Basic canary-Password-7bX4tV";
}
