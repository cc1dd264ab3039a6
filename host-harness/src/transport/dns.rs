//! Names to addresses, and addresses to sockets.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin};

use tokio::net::TcpStream;

use super::TransportError;
use crate::egress::address::is_public;

/// The services of the operating system for a connection; the tests put their own answers in its place.
pub(super) trait Network: fmt::Debug + Send + Sync + 'static {
    /// Looks `host` up.
    fn resolve(&self, host: &str, port: u16) -> Pending<Vec<SocketAddr>>;
    /// Opens a TCP connection.
    fn connect(&self, address: SocketAddr) -> Pending<TcpStream>;
}

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'static>>;

/// The operating system's resolver and sockets.
#[derive(Debug)]
pub(super) struct System;

impl Network for System {
    fn resolve(&self, host: &str, port: u16) -> Pending<Vec<SocketAddr>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> Pending<TcpStream> {
        Box::pin(TcpStream::connect(address))
    }
}

/// The public addresses of `host`, from one lookup.
///
/// Whoever connects uses these and asks no second time: a name that changes its mind between the
/// check and the connection (DNS rebinding) changes nothing.
pub(super) async fn public_addresses(
    network: &dyn Network,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, TransportError> {
    let mut addresses =
        network.resolve(host, port).await.map_err(|error| TransportError::Dns(format!("{host}: {error}")))?;
    let Some(first) = addresses.first().copied() else {
        return Err(TransportError::Dns(format!("{host}: it has no address")));
    };
    addresses.retain(|address| is_public(address.ip()));
    if addresses.is_empty() {
        return Err(TransportError::ProhibitedAddress(format!("{host} is {}", first.ip())));
    }
    Ok(addresses)
}
