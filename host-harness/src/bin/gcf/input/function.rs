//! Names of functions.

use gcf_host::wit::functions::{FunctionRef, NamedFunction};

use crate::output::failure::Failure;

/// A bare name, a resource name or a URL, told apart by how it begins.
pub(crate) fn function_ref(function: String, region: Option<String>) -> Result<FunctionRef, Failure> {
    match (function.into(), region) {
        (FunctionRef::Named(NamedFunction { name, .. }), region) => {
            Ok(FunctionRef::Named(NamedFunction { name, region }))
        }
        (FunctionRef::Resource(_) | FunctionRef::Url(_), Some(_)) => {
            Err(Failure::input("--region goes with a bare name only")
                .with_fix("leave --region out: a resource name or a URL says where the function is"))
        }
        (function, None) => Ok(function),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_function_is_named_shows_in_how_it_begins() {
        let named = function_ref("f".to_owned(), Some("r".to_owned())).unwrap();
        assert!(matches!(named, FunctionRef::Named(named) if named.region.as_deref() == Some("r")));
        let resource = function_ref("projects/p/locations/r/functions/f".to_owned(), None).unwrap();
        assert!(matches!(resource, FunctionRef::Resource(_)));
        // The component refuses http with a message of its own.
        let url = function_ref("http://f.run.app".to_owned(), None).unwrap();
        assert!(matches!(url, FunctionRef::Url(_)));
        assert!(function_ref("https://f.run.app".to_owned(), Some("r".to_owned())).is_err());
    }
}
