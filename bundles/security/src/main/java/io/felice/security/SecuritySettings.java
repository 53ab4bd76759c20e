package io.felice.security;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The settings of the bundle. Several of its components read them. */
@ObjectClassDefinition(name = "Felice: security", description = "Who clients are and what they may do.")
public @interface SecuritySettings {
    @AttributeDefinition(
            description = "Who decides what clients may do: acl for the ACLs of the cluster, the name of an authorizer"
                    + " that a plugin registers, or none for no rights at all, so that everybody may do everything."
                    + " A changed authorizer decides at once; none holds from the next start on.")
    String authorizer() default "none";

    @AttributeDefinition(
            description = "Principals that may do everything, separated by semicolons: User:admin;User:ops.")
    String super_users() default "";

    @AttributeDefinition(
            description = "Whether everybody may do everything with a resource that no ACL is about. Off is safe.")
    boolean allow_everyone_if_no_acl_found() default false;

    @AttributeDefinition(
            min = "0",
            max = "3600000",
            description = "For how long a decision of a plugin's authorizer is remembered, in milliseconds; 0 to ask it"
                    + " for each request.")
    int authorizer_cache_ms() default 5_000;

    @AttributeDefinition(
            min = "0",
            max = "30000",
            description = "How long requests wait for a plugin's authorizer that is not there, in milliseconds. Then"
                    + " they are refused.")
    int authorizer_wait_ms() default 5_000;

    @AttributeDefinition(
            description = "Who checks passwords: felice for the users of the cluster, or the name of a credential store"
                    + " that a plugin registers. While it is not there, nobody can log in with a password.")
    String credential_store() default "felice";

    @AttributeDefinition(
            min = "100",
            max = "60000",
            description = "How long a call of an authenticator, a credential store or an authorizer may take, in"
                    + " milliseconds. After that the login fails, or the request is refused.")
    int plugin_timeout_ms() default 10_000;

    @AttributeDefinition(
            min = "0",
            max = "10000",
            description = "How long the answer to a failed login is delayed, in milliseconds. Many failures from one"
                    + " address within a minute make it ten times as long.")
    int connection_failed_authentication_delay_ms() default 100;

    @AttributeDefinition(
            description = "Where the keys are with which tokens are signed (a JSON Web Key Set): a file, or an http or"
                    + " https URL. Empty: the mechanism OAUTHBEARER is not offered.")
    String oauth_jwks() default "";

    @AttributeDefinition(
            min = "1000",
            max = "86400000",
            description = "How often the keys are read again, in milliseconds. A token with an unknown key makes it"
                    + " happen at once. If they cannot be read, the last ones stay in use.")
    int oauth_jwks_refresh_ms() default 3_600_000;

    @AttributeDefinition(description = "The issuer that tokens must have; empty for any.")
    String oauth_issuer() default "";

    @AttributeDefinition(
            description = "Audiences, separated by commas; tokens must have one of them. Empty: tokens must have none.")
    String oauth_audience() default "";

    @AttributeDefinition(description = "The claim of a token that has the name of the user.")
    String oauth_principal_claim() default "sub";

    @AttributeDefinition(description = "Scopes, separated by commas; tokens must have all of them.")
    String oauth_scope() default "";

    @AttributeDefinition(description = "The claim of a token that has its scopes.")
    String oauth_scope_claim() default "scope";

    @AttributeDefinition(
            min = "0",
            max = "300000",
            description = "How far the clocks of this node and of the issuer may be apart, in milliseconds.")
    int oauth_clock_skew_ms() default 30_000;
}
