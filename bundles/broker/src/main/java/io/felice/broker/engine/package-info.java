/** The storage engines that are here, each with its threads, its speed and its free space. */
package io.felice.broker.engine;
