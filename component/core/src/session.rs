//! A connection in use: what it keeps, parsed, and its calls to Google's APIs.

use std::cell::RefCell;

use crate::{
    base::{
        error::Result,
        http::{Request, Response},
        ports::Ports,
        retry::Class,
    },
    call::Call,
    google::{
        bearer::AccessToken,
        names::{AccountEmail, ProjectId, Region},
        refusal::api::{Attempted, Resource},
    },
    rails::GuardRails,
    sign_in::{
        credential::impersonated::Chain,
        identity::{self, Identity},
        invoker::{Invoker, InvokerRequest},
        token::{self, SignIn},
    },
    store::names::ConnectionId,
};

/// A connection that a call uses.
#[derive(Debug)]
pub struct Session {
    /// Its id.
    pub id: ConnectionId,
    /// Its project.
    pub project: ProjectId,
    /// The project that requests count against, where the caller can say so.
    pub quota_project: Option<ProjectId>,
    /// Its default region.
    pub region: Region,
    /// The identity that signs in.
    pub identity: Identity,
    /// The scopes that were granted, separated by spaces, if Google said.
    pub scopes: Option<String>,
    /// Its guard rails.
    pub guard_rails: GuardRails,
    invoker: InvokerRequest,
    /// The token that requests of this call travel with. A store may be unable to keep one, and a call may send
    /// a hundred requests, many at once.
    token: RefCell<Option<AccessToken>>,
}

impl Session {
    /// Loads the connection that a call is for. Sends nothing.
    ///
    /// # Errors
    /// `connection-required`, `connection-not-found`, `invalid-credential` or `secret-store`.
    pub fn open<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Self> {
        let id = ConnectionId::parse(id)?;
        let (connection, identity) = identity::load(call.ports(), &id)?;
        call.is_for(&id);
        Ok(Self {
            project: ProjectId::parse(&connection.project)?,
            quota_project: connection.quota_project.as_deref().map(ProjectId::parse).transpose()?,
            region: Region::parse(&connection.region)?,
            invoker: InvokerRequest::stored(&connection),
            scopes: connection.signs_in.unwrap_or_else(|| identity.signs_in_of_earlier()).scopes,
            guard_rails: connection.guard_rails.unwrap_or_default(),
            token: RefCell::default(),
            identity,
            id,
        })
    }

    /// The account whose ID token a function receives: the one that a call asks for, or the connection's own choice.
    ///
    /// # Errors
    /// `invalid-input` of field `invoker`.
    pub fn invoker(&self, asked: Option<&InvokerRequest>) -> Result<Invoker> {
        asked.unwrap_or(&self.invoker).resolve(&self.identity, &self.project)
    }

    /// The part of it that tokens depend on.
    pub(crate) fn sign_in(&self) -> SignIn<'_> {
        SignIn {
            id: &self.id,
            identity: &self.identity,
            project: &self.project,
            quota_project: self.quota_project.as_ref(),
        }
    }

    /// Sends a request with an access token. A 401 takes one new token and one more attempt.
    ///
    /// # Errors
    /// As signing in and sending fail; any status is a response.
    pub async fn send<P: Ports>(
        &self,
        call: &Call<'_, P>,
        class: Class,
        request: &dyn Fn(&AccessToken) -> Request,
    ) -> Result<Response> {
        self.send_body(call, class, Vec::new(), &|token, _| request(token)).await
    }

    /// The same with a body, which may be large: the second attempt takes it over from the first.
    ///
    /// # Errors
    /// As those of [`send`](Self::send).
    pub async fn send_body<P: Ports>(
        &self,
        call: &Call<'_, P>,
        class: Class,
        body: Vec<u8>,
        request: &dyn Fn(&AccessToken, Vec<u8>) -> Request,
    ) -> Result<Response> {
        let token = self.token(call).await?;
        let mut first = request(&token, body);
        let response = call.exchange(&mut first, class).await?;
        if response.status != 401 || !token::reject(call, self.sign_in(), &token)? {
            return Ok(response);
        }
        // What travels beside may have got a new one meanwhile.
        self.token.borrow_mut().take_if(|held| held.is(&token));
        let token = self.token(call).await?;
        call.exchange(&mut request(&token, first.body), class).await
    }

    /// The access token, asked for once in a call.
    ///
    /// # Errors
    /// As signing in fails.
    pub async fn token<P: Ports>(&self, call: &Call<'_, P>) -> Result<AccessToken> {
        let held = self.token.borrow().clone();
        if let Some(token) = held {
            return Ok(token);
        }
        let token = token::access_token(call, self.sign_in()).await?;
        *self.token.borrow_mut() = Some(token.clone());
        Ok(token)
    }

    /// An access token of the account that functions see: the connection's own, or one that is minted.
    ///
    /// # Errors
    /// As signing in fails, and `missing-role`.
    pub(crate) async fn token_of<P: Ports>(&self, call: &Call<'_, P>, account: &str) -> Result<AccessToken> {
        if account == self.identity.principal() {
            return token::access_token(call, self.sign_in()).await;
        }
        let delegates = match self.invoker(None)? {
            Invoker::ServiceAccount { chain, .. } => chain.delegates,
            Invoker::Own | Invoker::User => Vec::new(),
        };
        let chain = Chain { account: AccountEmail::parse(account)?, delegates };
        token::of_account(call, self.sign_in(), &chain).await
    }

    /// The words for an error about this connection.
    #[must_use]
    pub fn attempted<'a>(&'a self, action: &'a str, permission: &'a str) -> Attempted<'a> {
        Attempted {
            action,
            project: self.project.as_str(),
            account: self.identity.principal(),
            permission,
            resource: Resource::Project,
        }
    }
}
