//! The strict Google on loopback, until it is told otherwise.

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use gcf_google::{Answer, Asked, Client, Project, Server, serve};
use serde_json::Value;

use super::{KEY, forms::canary};

const ORIGINS: [&str; 8] = [
    "https://accounts.google.com",
    "https://oauth2.googleapis.com",
    "https://www.googleapis.com",
    "https://sts.googleapis.com",
    "https://iamcredentials.googleapis.com",
    "https://cloudfunctions.googleapis.com",
    "https://run.googleapis.com",
    "https://hello-abcdefghij-uc.a.run.app",
];

const ACCOUNT: &str = "gcf-demo@demo-project.iam.gserviceaccount.com";
const ROBOT: &str = "robot@demo-project.iam.gserviceaccount.com";
/// It may be borrowed by the person, and invokes nothing.
const APPSPOT: &str = "demo-project@appspot.gserviceaccount.com";
const PERSON: &str = "ada@example.com";
const SCOPES: &str =
    "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/cloud-platform";

/// The job of an external system: what its federated token is for.
const JOB: &str =
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/subject/subject";

/// Answers to requests that hold a text, in front of the usual ones.
type Rules = Arc<Mutex<Vec<(&'static str, u16, Value)>>>;

/// Listens on a port that the system picks, until the test process ends. A test that asks it for what Google does
/// not have fails.
pub(crate) struct Google {
    google: Arc<gcf_google::Google>,
    server: Server,
    rules: Rules,
}

impl Google {
    pub(crate) fn start() -> Self {
        Self::with(project())
    }

    /// A Google that keeps this project.
    pub(crate) fn with(project: Project) -> Self {
        let key_file = std::fs::read_to_string(KEY).unwrap();
        let google = Arc::new(gcf_google::Google::new(&key_file, project));
        let rules = Rules::default();
        let (answering, shared) = (Arc::clone(&google), Arc::clone(&rules));
        let server = serve(Arc::new(move |asked: &Asked| {
            let request = format!(
                "{} {} {} HTTP/1.1 {}",
                asked.header("host").unwrap_or_default(),
                asked.method,
                asked.url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default(),
                String::from_utf8_lossy(&asked.body)
            );
            let told = shared.lock().unwrap().iter().find(|rule| request.contains(rule.0)).cloned();
            told.map_or_else(
                || answering.answer(asked, now()),
                |(_, status, body)| Answer::json(status, &body),
            )
        }));
        Self { google, server: server.unwrap(), rules }
    }

    /// The options that lead gcf here.
    pub(crate) fn maps(&self) -> Vec<String> {
        maps(self.server, &ORIGINS)
    }

    /// The option that leads gcf here in place of one more origin.
    pub(crate) fn map(&self, origin: &str) -> Vec<String> {
        maps(self.server, &[origin])
    }

    /// The address at which a browser ends when the person allows what the page at `url` asks for.
    pub(crate) fn consent(&self, url: &str) -> String {
        self.google.consent(url, PERSON)
    }

    /// From now on, requests whose host, target and body hold `text` get this answer.
    pub(crate) fn on(&self, text: &'static str, status: u16, body: Value) {
        self.rules.lock().unwrap().insert(0, (text, status, body));
    }

    /// An access token of the person's that somebody else has handed out.
    pub(crate) fn knows_a_person(&self) -> String {
        let token = canary("injected-token");
        self.google.know(&token, PERSON, SCOPES, now());
        token
    }

    /// Answers by itself again.
    pub(crate) fn recovers(&self) {
        self.rules.lock().unwrap().clear();
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        let unknown = self.google.unknown();
        if !std::thread::panicking() {
            assert!(unknown.is_empty(), "Google has no such calls: {unknown:#?}");
        }
    }
}

/// The options that lead these origins to a server.
pub(crate) fn maps(server: Server, origins: &[&str]) -> Vec<String> {
    let map = |origin: &&str| ["--map".to_owned(), format!("{origin}=http://127.0.0.1:{}", server.port)];
    origins.iter().flat_map(map).collect()
}

/// An empty project. Its members may look at it, and the person and the job may be the robot.
pub(crate) fn project() -> Project {
    let mut project = Project::new("demo-project", &canary("access-token"));
    for member in [ACCOUNT, ROBOT, PERSON, JOB] {
        project = project.viewer_and_invoker(member);
    }
    for member in [PERSON, JOB] {
        project = project.grant(member, &["iam.serviceAccounts.getAccessToken"], ROBOT);
    }
    project = project.grant(PERSON, &["iam.serviceAccounts.getAccessToken"], APPSPOT);
    project.client =
        Some(Client { id: "123-x.apps.googleusercontent.com".to_owned(), secret: canary("client-secret") });
    project.refresh_tokens = vec![(canary("refresh-token"), PERSON.to_owned(), SCOPES.to_owned())];
    project
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
