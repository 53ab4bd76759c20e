/** Who may ask for what: the guard in front of every URL, logins, sessions and roles. */
package io.felice.console.access;
