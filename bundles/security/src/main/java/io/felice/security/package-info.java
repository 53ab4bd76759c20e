/** Who clients are and what they may do: logins, users and ACLs. */
package io.felice.security;
