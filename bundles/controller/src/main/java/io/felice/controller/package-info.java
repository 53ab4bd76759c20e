/** Decides for the cluster: reads the replayed view and requests, writes metadata records. */
package io.felice.controller;
