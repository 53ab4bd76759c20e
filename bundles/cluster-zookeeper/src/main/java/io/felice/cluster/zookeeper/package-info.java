/**
 * The cluster store on ZooKeeper: the metadata log, the registrations of brokers, and the election of the controller.
 */
package io.felice.cluster.zookeeper;
