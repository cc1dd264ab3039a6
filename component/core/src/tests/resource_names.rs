//! Resource names in the path of a request. Names that are refused are in `bad_inputs`.

use crate::{
    actions::{
        connections::ConnectRequest,
        functions::list::{ListRequest, list},
    },
    testing::{World, access_token, block_on, canaries, connect_request, nothing},
};

#[test]
fn a_domain_scoped_project_is_one_segment_of_every_path() {
    let connect = ConnectRequest { project: Some("example.com:legacy-app".to_owned()), ..connect_request() };
    let (world, id) = World::connected_with(connect, [access_token(canaries::FIRST)]);
    world.respond(|_| nothing());
    block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    for request in world.sent.borrow().iter() {
        let path = request.path_and_query();
        let after_version = path.split_at(3).1;
        assert!(after_version.starts_with("/projects/example.com%3Alegacy-app/locations"), "{path}");
    }
}
