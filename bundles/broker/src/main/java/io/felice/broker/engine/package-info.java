/** The mounted storage engines, each with its threads, the speed of its device and its free space. */
package io.felice.broker.engine;
