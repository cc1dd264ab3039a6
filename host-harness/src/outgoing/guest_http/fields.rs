//! Headers and trailers.

use wasmtime::component::Resource;
use wasmtime_wasi_http::{
    FieldMap,
    p2::{HeaderResult, bindings::http::types},
};

use super::{View, size, unchanged};

impl View<'_> {
    /// Counts a map of headers as it is now.
    pub(super) fn count_fields(&mut self, fields: &Resource<FieldMap>) -> wasmtime::Result<()> {
        let bytes = size(self.table.get(fields)?);
        self.count(fields, bytes)
    }
}

impl types::HostFields for View<'_> {
    unchanged! { HostFields:
        fn new() -> wasmtime::Result<Resource<FieldMap>>;
        fn get(fields: Resource<FieldMap>, name: String) -> wasmtime::Result<Vec<Vec<u8>>>;
        fn has(fields: Resource<FieldMap>, name: String) -> wasmtime::Result<bool>;
        fn entries(fields: Resource<FieldMap>) -> wasmtime::Result<Vec<(String, Vec<u8>)>>;
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> HeaderResult<Resource<FieldMap>> {
        let fields = types::HostFields::from_list(&mut self.plain(), entries)?;
        self.count_fields(&fields).map_err(wasmtime_wasi_http::p2::HeaderError::trap)?;
        Ok(fields)
    }

    fn set(&mut self, fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()> {
        let again = Resource::new_borrow(fields.rep());
        types::HostFields::set(&mut self.plain(), fields, name, values)?;
        self.count_fields(&again).map_err(wasmtime_wasi_http::p2::HeaderError::trap)
    }

    fn delete(&mut self, fields: Resource<FieldMap>, name: String) -> HeaderResult<()> {
        let again = Resource::new_borrow(fields.rep());
        types::HostFields::delete(&mut self.plain(), fields, name)?;
        self.count_fields(&again).map_err(wasmtime_wasi_http::p2::HeaderError::trap)
    }

    fn append(&mut self, fields: Resource<FieldMap>, name: String, value: Vec<u8>) -> HeaderResult<()> {
        let again = Resource::new_borrow(fields.rep());
        types::HostFields::append(&mut self.plain(), fields, name, value)?;
        self.count_fields(&again).map_err(wasmtime_wasi_http::p2::HeaderError::trap)
    }

    fn clone(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<Resource<FieldMap>> {
        let copy = types::HostFields::clone(&mut self.plain(), fields)?;
        self.count_fields(&copy)?;
        Ok(copy)
    }

    fn drop(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<()> {
        self.uncount(&fields);
        types::HostFields::drop(&mut self.plain(), fields)
    }
}
