/** The cluster's truth on ZooKeeper: the metadata log, who is registered, and who is controller. */
package io.felice.cluster.zookeeper;
