package io.felice.api.security;

/** What an {@link Authorizer} says about an action. An action that nobody allows is refused. */
public enum Decision {
    ALLOW,
    DENY,
    NO_OPINION
}
