/**
 * The network: accepts connections, reads frames, passes each request to its handler, and sends the answers in order.
 */
package io.felice.network;
