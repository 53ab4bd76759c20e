/** The controller: reads requests and the replayed cluster view, and writes metadata records. */
package io.felice.controller;
