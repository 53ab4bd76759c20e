/** Checks the files etc/io.felice.*.cfg before the bundles get them. */
package io.felice.config;
