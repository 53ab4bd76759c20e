package io.felice.api.security;

import java.net.InetAddress;

/** Who asks, and the address from which. */
public record Requester(Principal principal, InetAddress host) {}
