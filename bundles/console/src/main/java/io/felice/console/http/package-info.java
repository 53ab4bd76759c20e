/** Requests and answers of the REST API: routes, JSON, and the problems of RFC 9457. */
package io.felice.console.http;
