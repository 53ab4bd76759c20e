/** The pages of the console as files, and the servlet that sends them. */
package io.felice.console.pages;
