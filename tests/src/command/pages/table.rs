//! The pages, what each needs before it, and what of it is not run, with the reason.

/// A page of the README or the guide.
pub(crate) struct Page {
    pub(crate) file: &'static str,
    /// Commands that a reader has run before, such as those of a page that this one builds on. `before.sh` is read
    /// before each block.
    pub(crate) before: &'static str,
    /// Files that a reader has.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Parts that a reader replaces by something of their own.
    pub(crate) stand_ins: &'static [(&'static str, &'static str)],
    /// Lines that are not run, and why not.
    pub(crate) not_run: &'static [(&'static str, &'static str)],
    /// First lines of blocks of plain text, and where they are compared.
    pub(crate) shown: &'static [(&'static str, &'static str)],
}

const PLAIN: Page = Page { file: "", before: "", files: &[], stand_ins: &[], not_run: &[], shown: &[] };

const CONNECT: &str = "gcf connect --nickname work --credentials key.json";
const GCLOUD: &str = "gcloud asks Google";
const JCO: &str = "needs jco; tests/hosts/jco/run.sh runs it";
const WASMTIME: &str = "needs another host; tests/hosts/wasmtime/run.sh runs it";
const FRONT: &str = "asks a server that is not there; tests/hosts/wasmtime/run.sh sends the same";
const WASSETTE: &str = "needs another host; tests/hosts/wassette/run.sh runs the same";
const FLEET: &str = "needs machines; tests/hosts/wasmcloud/run.sh starts the same";
const DURABLE: &str = "needs Restate; tests/durable/run.sh starts the same";
const MCP: &str = "needs a stock wasmtime; tests/hosts/mcp/run.sh composes and serves the same";
const BROWSER: &str = "a person consents in a browser: tests/sign-in runs it, with Chromium";

pub(crate) const PAGES: [Page; 17] = [
    Page {
        file: "README.md",
        not_run: &[
            (
                "cargo xtask demo     # the tour below; compiles a WebAssembly engine first, which takes minutes",
                "builds the workspace; its output is compared in alone.rs",
            ),
            (
                "cargo xtask test     # every test; those of the guides use jq, openssl and node, too",
                "runs this test",
            ),
            ("cargo install --path host-harness --locked", "takes minutes; tests/installed/run.sh runs it"),
        ],
        shown: &[("$ cargo xtask demo", "alone.rs")],
        ..PLAIN
    },
    Page { file: "docs/guide/README.md", ..PLAIN },
    Page { file: "docs/guide/command.md", ..PLAIN },
    Page {
        file: "docs/guide/custom-api.md",
        before: CONNECT,
        files: &[("filter.json", r#"{"resourceNames": ["projects/my-project"]}"#)],
        ..PLAIN
    },
    Page {
        file: "docs/guide/doctor-and-plan.md",
        before: "gcf connect --nickname robot --credentials key.json",
        // A plan begins with the access token where none is cached.
        files: &[("before.sh", "rm -f .local/share/gcf/tokens*")],
        ..PLAIN
    },
    Page { file: "docs/guide/embed.md", ..PLAIN },
    Page {
        file: "docs/guide/google-setup.md",
        not_run: &[
            ("gcloud services enable cloudfunctions.googleapis.com --project=PROJECT", GCLOUD),
            ("gcloud services enable run.googleapis.com --project=PROJECT", GCLOUD),
            ("gcloud services enable iamcredentials.googleapis.com --project=PROJECT", GCLOUD),
            ("gcloud iam service-accounts create gcf-connector --project=PROJECT", GCLOUD),
            (
                "gcloud iam service-accounts keys create key.json --iam-account=gcf-connector@PROJECT.iam.gserviceaccount.com",
                GCLOUD,
            ),
            (
                "gcloud projects add-iam-policy-binding PROJECT --member=$member --role=roles/cloudfunctions.viewer",
                GCLOUD,
            ),
            (
                "gcloud functions add-iam-policy-binding FUNCTION --region=REGION --project=PROJECT --member=$member --role=roles/cloudfunctions.invoker",
                GCLOUD,
            ),
            (
                "gcloud run services add-iam-policy-binding SERVICE --region=REGION --project=PROJECT --member=$member --role=roles/run.invoker",
                GCLOUD,
            ),
        ],
        ..PLAIN
    },
    Page {
        file: "docs/guide/fleet.md",
        not_run: &[
            (
                "wash host --http-addr 0.0.0.0:8000 --oci-ca-path ca.crt --scheduler-nats-url tls://nats.example.com:4222 --scheduler-nats-tls-ca ca.crt --scheduler-nats-tls-cert host.crt --scheduler-nats-tls-key host.key --data-nats-url tls://nats.example.com:4222 --data-nats-tls-ca ca.crt --data-nats-tls-cert worker.crt --data-nats-tls-key worker.key",
                FLEET,
            ),
            ("pip install --requirement examples/fleet/requirements.txt", FLEET),
            (
                "export NATS_URL=tls://nats.example.com:4222 NATS_CA=ca.crt NATS_CERT=scheduler.crt NATS_KEY=scheduler.key",
                FLEET,
            ),
            ("python examples/fleet/scheduler.py --secrets secrets examples/fleet/fleet.yaml", FLEET),
            ("pip install --requirement examples/durable/requirements.txt", DURABLE),
            (
                "export GCF_FRONT=http://127.0.0.1:8000 GCF_FRONT_TOKEN=TOKEN GCF_CONNECTION=CONNECTION",
                DURABLE,
            ),
            ("cd examples/durable && hypercorn flow:app --bind 127.0.0.1:9080", DURABLE),
            ("npx @restatedev/restate-server@1.7.12", DURABLE),
            (
                "curl --fail http://127.0.0.1:9070/deployments --json '{\"uri\": \"http://127.0.0.1:9080\"}'",
                DURABLE,
            ),
            ("curl --fail http://127.0.0.1:8080/order/7/run/send --json '{\"item\": \"tea\"}'", DURABLE),
            ("curl --fail http://127.0.0.1:8080/order/7/approve --json true", DURABLE),
            ("curl --fail http://127.0.0.1:8080/restate/workflow/order/7/attach", DURABLE),
        ],
        shown: &[(
            "caller ──HTTP──┐               ┌─ host 1: fronts ─ connector ─ store ─┐",
            "a picture of what stands where",
        )],
        ..PLAIN
    },
    Page { file: "docs/guide/guard-rails.md", ..PLAIN },
    Page {
        file: "docs/guide/hosts.md",
        not_run: &[
            ("cargo xtask stores", WASMTIME),
            ("cargo xtask fronts", WASMTIME),
            (
                "cargo xtask compose --front target/gcf-front-http.wasm --store target/gcf-store-files.wasm --out gcf.wasm",
                WASMTIME,
            ),
            (
                "jq -n --rawfile key key.json '{nickname: \"work\", credential: {\"google-json\": $key}}' | curl -H @front-header --json @- http://127.0.0.1:8080/gcf:connector/connections/connect",
                FRONT,
            ),
            ("curl -H @front-header http://127.0.0.1:8080/openapi.json", FRONT),
            (
                "wasmtime serve -S cli -W max-memory-size=268435456 --addr 127.0.0.1:8080 --dir secrets::/store --env GCF_FRONT_TOKEN --env GCF_STORE_KEY gcf.wasm",
                WASMTIME,
            ),
            (
                "curl -H @front-header -H 'content-type: application/json' 'http://127.0.0.1:8080/gcf:connector/functions/list?connection=CONNECTION&deadline-ms=10000' -d '{\"regions\": [\"us-central1\"]}'",
                FRONT,
            ),
            (
                "cargo xtask compose --front target/gcf-front-command.wasm --store target/gcf-store-files.wasm --out gcf-command.wasm",
                WASMTIME,
            ),
            (
                "wasmtime run -S http --dir secrets::/store --env GCF_STORE_KEY gcf-command.wasm functions.list --connection CONNECTION",
                WASMTIME,
            ),
            ("cargo xtask compose --store target/gcf-store-files.wasm --out gcf.wasm", WASSETTE),
            ("wassette component load file://$PWD/gcf.wasm", WASSETTE),
            ("wassette permission grant network gcf oauth2.googleapis.com", WASSETTE),
            ("wassette permission grant storage gcf fs://$PWD/secrets --access read,write", WASSETTE),
            ("wassette permission grant environment-variable gcf GCF_STORE_KEY", WASSETTE),
            ("wassette permission grant environment-variable gcf GCF_FILES_DIR", WASSETTE),
            ("wassette serve --env-file store-env", WASSETTE),
            (
                "cargo xtask compose --front target/gcf-front-mcp.wasm --store target/gcf-store-files.wasm --out gcf-mcp.wasm",
                MCP,
            ),
            (
                "wasmtime serve -S cli -W max-memory-size=268435456 --addr 127.0.0.1:8080 --dir secrets::/store --env GCF_FRONT_TOKEN --env GCF_STORE_KEY gcf-mcp.wasm",
                MCP,
            ),
            (
                "nats request gcf.functions.list '{\"connection\": \"CONNECTION\", \"input\": {\"regions\": [\"us-central1\"]}}'",
                "needs a broker; tests/hosts/wasmcloud/run.sh sends such messages",
            ),
            ("jco transpile gcf-connector.wasm --name connector --out-dir out --instantiation async", JCO),
        ],
        shown: &[(
            "caller ──HTTP──► front ──► connector ──► the host's HTTP ──► Google",
            "a picture of who calls whom",
        )],
        ..PLAIN
    },
    Page {
        file: "docs/guide/invoke.md",
        before: CONNECT,
        files: &[
            ("rows.csv", "id,name\n7,ada\n"),
            (
                "event.json",
                r#"{"specversion": "1.0", "id": "7", "source": "//storage.googleapis.com/b", "type": "google.cloud.storage.object.v1.finalized", "data": {"name": "a.txt"}}"#,
            ),
        ],
        // This Google gives out ID tokens for one audience.
        stand_ins: &[("1234-abcd.apps.googleusercontent.com", "https://hello-abcdefghij-uc.a.run.app")],
        ..PLAIN
    },
    Page { file: "docs/guide/list.md", before: CONNECT, ..PLAIN },
    Page { file: "docs/guide/proxy.md", before: CONNECT, ..PLAIN },
    Page {
        file: "docs/guide/secrets.md",
        before: CONNECT,
        stand_ins: &[("age1…", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")],
        ..PLAIN
    },
    Page {
        file: "docs/guide/sign-in.md",
        before: "openssl genpkey -algorithm RSA -quiet > robot.pem",
        files: &[
            ("token.txt", "ya29.mine"),
            (
                ".config/gcloud/application_default_credentials.json",
                r#"{"type": "authorized_user", "client_id": "1-x.apps.googleusercontent.com", "client_secret": "not-one", "refresh_token": "1//not-one"}"#,
            ),
        ],
        stand_ins: &[
            ("PROJECT_NUMBER", "123456789012"),
            ("@PROJECT.", "@my-project."),
            ("/POOL/", "/pool/"),
            ("/PROVIDER", "/github"),
        ],
        not_run: &[
            ("gcf connect --nickname ada --oauth --client client_secret.json", BROWSER),
            ("gcf reconnect ada --oauth --client client_secret.json", BROWSER),
            ("gcloud auth application-default login", GCLOUD),
        ],
        ..PLAIN
    },
    Page { file: "docs/guide/tapes.md", ..PLAIN },
    Page {
        file: "docs/guide/stores.md",
        not_run: &[
            ("cargo xtask stores", "builds components; tests/stores/run.sh runs it"),
            (
                "cargo xtask compose --store target/gcf-store-etcd.wasm --out composed.wasm",
                "builds components; tests/hosts/wasmtime/run.sh runs it, with another store",
            ),
        ],
        shown: &[(
            "path \"secret/data/gcf/*\" { capabilities = [\"create\", \"read\", \"update\"] }",
            "tests/stores/src/vault.rs, which gives it to OpenBao",
        )],
        ..PLAIN
    },
];

/// Options that sentences name and that are not of `gcf`.
pub(crate) const FOREIGN: [(&str, &str); 4] = [
    ("--impersonate-service-account", "gcloud"),
    ("--features", "cargo"),
    ("--addr", "wasmtime"),
    ("--stop", "examples/fleet/scheduler.py"),
];
