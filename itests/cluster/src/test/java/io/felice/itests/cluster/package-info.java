/** Real clients against several brokers of one cluster. */
package io.felice.itests.cluster;
