/** Decides for the cluster: what comes in is the replayed view and requests, what goes out is metadata records. */
package io.felice.controller;
