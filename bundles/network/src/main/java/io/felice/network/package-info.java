/** Moves bytes: accepts connections, cuts frames, gives each request to its handler, answers in order. */
package io.felice.network;
