/** Checks what the files etc/io.felice.*.cfg say, before the bundles that they are for see it. */
package io.felice.config;
