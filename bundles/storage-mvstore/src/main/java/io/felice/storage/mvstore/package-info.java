/**
 * A storage engine on H2 MVStore: the logs of many small topics share a few store files, and one commit carries what all
 * of them have waiting.
 */
package io.felice.storage.mvstore;
