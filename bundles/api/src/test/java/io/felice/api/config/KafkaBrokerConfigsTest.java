package io.felice.api.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a change of each broker config that Apache Kafka 4.4 changes without a restart does here. */
class KafkaBrokerConfigsTest {
    /** In force at once. */
    private static final Set<String> IN_FORCE = names(
            """
            follower.replication.throttled.rate
            replica.alter.log.dirs.io.max.bytes.per.second
            compression.gzip.level compression.lz4.level compression.type compression.zstd.level
            log.cleaner.delete.retention.ms log.cleaner.max.compaction.lag.ms log.cleaner.min.cleanable.ratio
            log.cleaner.min.compaction.lag.ms log.cleanup.policy log.flush.interval.messages log.flush.interval.ms
            log.index.interval.bytes log.index.size.max.bytes log.message.timestamp.after.max.ms
            log.message.timestamp.before.max.ms log.message.timestamp.type log.retention.bytes log.retention.ms
            log.roll.jitter.ms log.roll.ms log.segment.bytes log.segment.delete.delay.ms max.decompressed.message.bytes
            log.cleaner.backoff.ms log.cleaner.dedupe.buffer.size log.cleaner.io.max.bytes.per.second
            log.cleaner.threads max.connection.creation.rate max.connections max.connections.per.ip
            max.connections.per.ip.overrides message.max.bytes min.insync.replicas producer.id.expiration.ms
            """);

    /** Refused, except the default. */
    private static final Set<String> DEFAULT_ONLY = names(
            """
            log.local.retention.bytes log.local.retention.ms log.remote.copy.lag.bytes log.remote.copy.lag.ms
            """);

    /** Refused: of a part that Felice does not have, or set in the file of a bundle. */
    private static final Set<String> REFUSED = names(
            """
            cordoned.log.dirs listener.security.protocol.map listeners num.network.threads principal.builder.class
            sasl.enabled.mechanisms sasl.jaas.config sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin
            sasl.kerberos.principal.to.local.rules sasl.kerberos.service.name sasl.kerberos.ticket.renew.jitter
            sasl.kerberos.ticket.renew.window.factor sasl.login.refresh.buffer.seconds
            sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
            sasl.mechanism.inter.broker.protocol ssl.cipher.suites ssl.client.auth ssl.enabled.protocols
            ssl.endpoint.identification.algorithm ssl.engine.factory.class ssl.key.password ssl.keymanager.algorithm
            ssl.keystore.certificate.chain ssl.keystore.key ssl.keystore.location ssl.keystore.password
            ssl.keystore.type ssl.protocol ssl.provider ssl.secure.random.implementation ssl.trustmanager.algorithm
            ssl.truststore.certificates ssl.truststore.location ssl.truststore.password ssl.truststore.type
            """);

    /** Accepted without effect, because provisioning tools set them; what they configure does not exist here. */
    private static final Set<String> WITHOUT_EFFECT = names(
            """
            background.threads config.providers errors.deadletterqueue.auto.create.topics.enable
            errors.deadletterqueue.topic.name.prefix follower.fetch.last.tiered.offset.enable
            group.consumer.assignment.interval.ms
            group.consumer.assignor.offload.enable group.coordinator.cached.buffer.max.bytes
            group.share.assignment.interval.ms group.share.assignor.offload.enable
            group.streams.assignment.interval.ms group.streams.assignor.offload.enable
            log.cleaner.io.buffer.load.factor log.cleaner.io.buffer.size log.preallocate metric.reporters num.io.threads num.recovery.threads.per.data.dir
            num.replica.fetchers remote.fetch.max.wait.ms remote.list.offsets.request.timeout.ms
            remote.log.index.file.cache.total.size.bytes remote.log.manager.copier.thread.pool.size
            remote.log.manager.copy.max.bytes.per.second remote.log.manager.expiration.thread.pool.size
            remote.log.manager.fetch.max.bytes.per.second remote.log.manager.follower.thread.pool.size
            remote.log.reader.threads
            share.coordinator.cached.buffer.max.bytes transaction.partition.verification.enable
            unclean.leader.election.enable
            """);

    private static Set<String> names(String text) {
        return Set.of(text.strip().split("\\s+"));
    }

    @Test
    void noConfigIsInTwoTables() {
        Set<String> all = new HashSet<>();
        List.of(IN_FORCE, DEFAULT_ONLY, REFUSED, WITHOUT_EFFECT)
                .forEach(names ->
                        names.forEach(name -> assertThat(all.add(name)).as(name).isTrue()));
    }

    @Test
    void whatIsInForceAtOnceIsDeclaredAndDynamic() {
        for (String name : IN_FORCE) {
            ConfigKey key = BrokerConfig.key(name);
            assertThat(key.type()).as(name).isNotEqualTo(ConfigKey.Type.UNKNOWN);
            assertThat(key.dynamic()).as(name).isTrue();
        }
    }

    @Test
    void whatDoesNotExistHereTakesItsDefaultOnly() {
        for (String name : DEFAULT_ONLY) {
            ConfigKey key = BrokerConfig.key(name);
            assertThat(key.allowed()).as(name).containsExactly(key.defaultValue());
        }
    }

    @Test
    void whatIsRefusedIsNotDynamic() {
        for (String name : REFUSED) {
            assertThat(BrokerConfig.key(name).dynamic()).as(name).isFalse();
        }
    }

    @Test
    void whatHasNoEffectIsAccepted() {
        for (String name : WITHOUT_EFFECT) {
            ConfigKey key = BrokerConfig.key(name);
            assertThat(key.dynamic()).as(name).isTrue();
            boolean saysSo = key.documentation() == null
                    || key.documentation().toLowerCase(java.util.Locale.ROOT).contains("no effect");
            assertThat(saysSo).as(name).isTrue();
        }
    }

    @Test
    void theSettingsOfKafkasAuthorizerAreNotChangedWhileTheBrokerRuns() {
        assertThat(BrokerConfig.key("super.users").dynamic()).isFalse();
        assertThat(BrokerConfig.key("allow.everyone.if.no.acl.found").dynamic()).isFalse();
    }
}
