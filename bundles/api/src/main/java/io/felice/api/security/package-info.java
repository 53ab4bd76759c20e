/**
 * Who a client is and what it may do: the interfaces that plugins implement ({@link
 * io.felice.api.security.Authenticator}, {@link io.felice.api.security.CredentialStore}, {@link
 * io.felice.api.security.Authorizer}, {@link io.felice.api.security.PrincipalMapping}) and the services of the bundle
 * {@code security} that the other bundles ask.
 */
@Export
@Version("1.0.0")
package io.felice.api.security;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
