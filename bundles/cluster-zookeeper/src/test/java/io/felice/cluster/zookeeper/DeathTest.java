package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.testkit.RecordingCandidate;
import io.felice.zookeeper.Liveness;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the proof of a process's end changes, it changes in one transaction of ZooKeeper: the zxid in which a znode was deleted
 * is that in which the end was recorded. Broker 2 is a session without a process, so nothing registers again.
 */
class DeathTest {
    private static final int SESSION_MS = 40_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int DEAD = 2;

    @TempDir
    Path directory;

    private final Map<Integer, Runnable> proofs = new ConcurrentHashMap<>();
    private TestEnsemble ensemble;
    private ZooKeeperStore store;
    private ZooKeeper dead;
    private BrokerRegistration registration;

    @BeforeEach
    void startBrokerOne() throws Exception {
        ensemble = new TestEnsemble(directory);
        store = ensemble.store(SESSION_MS);
        store.bindLiveness(new Proofs(1));
        CountDownLatch registered = new CountDownLatch(1);
        store.register(broker(1), new ClusterStore.RegistrationListener() {
            @Override
            public void registered(long brokerEpoch) {
                registered.countDown();
            }

            @Override
            public void refused(String reason) {
                throw new AssertionError(reason);
            }
        });
        assertThat(registered.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        dead = new ZooKeeper(ensemble.connectString(), SESSION_MS, event -> {});
        dead.addAuthInfo("digest", AccessSecret.read(ensemble.secretFile(), false));
        registration = broker(DEAD);
    }

    @AfterEach
    void stop() throws Exception {
        dead.close();
        ensemble.close();
    }

    @Test
    void theNextControllerIsElectedInTheTransactionThatDeletesTheDeadOne() throws Exception {
        create("/felice/controller_epoch", "", CreateMode.PERSISTENT);
        create(
                "/felice/controller",
                "controller/1 epoch=0 id=" + UUID.randomUUID() + " broker=2",
                CreateMode.EPHEMERAL);
        registerTheDead();
        RecordingCandidate heir = new RecordingCandidate();
        store.campaign(heir);

        prove();

        await().atMost(PATIENCE).until(() -> heir.term() != null);
        long elected = stat("/felice/controller").getCzxid();
        assertThat(stat("/felice/alive").getPzxid()).isEqualTo(elected);
        assertThat(stat("/felice/brokers").getPzxid()).isEqualTo(elected);
        assertThat(stat("/felice/controller_epoch").getMzxid()).isEqualTo(elected);
        await().atMost(PATIENCE).until(() -> heir.brokerIds().equals(List.of(1)));
        assertThat(heir.allBrokers()).hasSize(1);
    }

    @Test
    void theRegistrationOfADeadBrokerIsDeletedInTheTransactionThatRecordsThatItIsGone() throws Exception {
        CompletableFuture<Long> version = new CompletableFuture<>();
        lead(epoch -> term -> append(term, epoch, version));
        registerTheDead();

        prove();

        long recorded = stat("/felice/log/" + Paths.number(version.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)))
                .getCzxid();
        assertThat(stat("/felice/brokers").getPzxid()).isEqualTo(recorded);
        assertThat(stat("/felice/alive").getPzxid()).isEqualTo(recorded);
        assertThat(dead.getChildren("/felice/brokers", false)).containsExactly("1");
    }

    @Test
    void aDeadBrokerThatNoChangeSaysIsGoneIsDeletedAllTheSame() throws Exception {
        lead(epoch -> term -> {});
        registerTheDead();

        prove();

        await().atMost(PATIENCE)
                .until(() -> dead.getChildren("/felice/brokers", false).equals(List.of("1")));
        assertThat(dead.exists("/felice/alive/" + Long.toHexString(dead.getSessionId()), false))
                .isNull();
    }

    @Test
    void aDeadBrokerIsDeletedWithoutTheControllerIfThatDoesNotDoItSoon() throws Exception {
        create("/felice/controller", "controller/1 epoch=0 id=" + UUID.randomUUID(), CreateMode.PERSISTENT);
        store.campaign(new RecordingCandidate());
        registerTheDead();

        prove();

        await().atMost(PATIENCE)
                .until(() -> dead.getChildren("/felice/brokers", false).equals(List.of("1")));
    }

    @Test
    void aChangeIsWrittenAlthoughTheSessionOfTheDeadBrokerHasEndedMeanwhile() throws Exception {
        CompletableFuture<Long> version = new CompletableFuture<>();
        CompletableFuture<Runnable> append = new CompletableFuture<>();
        lead(epoch -> term -> append.complete(() -> append(term, epoch, version)));
        registerTheDead();
        String session = "/felice/alive/" + Long.toHexString(dead.getSessionId());
        prove();
        Runnable late = append.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        dead.delete(session, -1);

        late.run();

        assertThat(version.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isPositive();
    }

    private static void append(Term term, long brokerEpoch, CompletableFuture<Long> version) {
        term.append(List.of(new MetadataRecord.BrokerGone(DEAD, brokerEpoch))).whenComplete((appended, failure) -> {
            if (failure == null) {
                version.complete(appended);
            } else {
                version.completeExceptionally(failure);
            }
        });
    }

    /** What the controller does when a broker is gone, by the broker's epoch. */
    private interface WhenGone {
        Consumer<Term> of(long brokerEpoch);
    }

    /** Lets broker 1 be the controller. */
    private void lead(WhenGone whenGone) {
        CountDownLatch elected = new CountDownLatch(1);
        store.campaign(new ClusterStore.Candidate() {
            private Term term;
            private long epoch = -1;

            @Override
            public void elected(Term mine) {
                term = mine;
                elected.countDown();
            }

            @Override
            public void deposed() {
                term = null;
            }

            @Override
            public void brokers(List<LiveRegistration> live) {
                long now = live.stream()
                        .filter(one -> one.broker().brokerId() == DEAD)
                        .mapToLong(LiveRegistration::epoch)
                        .findFirst()
                        .orElse(-1);
                if (now < 0 && epoch >= 0) {
                    whenGone.of(epoch).accept(term);
                }
                epoch = now;
                if (now >= 0) {
                    shown.countDown();
                }
            }
        });
        await().atMost(PATIENCE).until(() -> elected.getCount() == 0);
        leads = true;
    }

    private final CountDownLatch shown = new CountDownLatch(1);
    private boolean leads;

    private void registerTheDead() throws Exception {
        create("/felice/brokers/" + DEAD, new String(Registration.bytes(registration), StandardCharsets.UTF_8));
        await().atMost(PATIENCE)
                .until(() -> dead.getChildren("/felice/alive", false).size() == 1);
        create(
                "/felice/alive/" + Long.toHexString(dead.getSessionId()),
                "alive/1 host=127.0.0.1 port=" + DEAD + " process=" + UUID.randomUUID());
        await("it is watched").atMost(PATIENCE).until(() -> proofs.containsKey(DEAD));
        if (leads) {
            assertThat(shown.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
    }

    private void prove() {
        proofs.get(DEAD).run();
    }

    private void create(String path, String data) throws Exception {
        create(path, data, CreateMode.EPHEMERAL);
    }

    private void create(String path, String data, CreateMode mode) throws Exception {
        dead.create(path, data.getBytes(StandardCharsets.UTF_8), ZooDefs.Ids.CREATOR_ALL_ACL, mode);
    }

    private Stat stat(String path) throws Exception {
        return dead.exists(path, false);
    }

    private static BrokerRegistration broker(int id) {
        BrokerRegistration.Endpoint endpoint =
                new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", 9092);
        return new BrokerRegistration(id, UUID.randomUUID(), UUID.randomUUID(), List.of(endpoint), null);
    }

    /** The sockets of processes; the test says when one of them has ended. */
    private final class Proofs implements Liveness {
        private final int port;

        Proofs(int port) {
            this.port = port;
        }

        @Override
        public Address open(String advertisedHost) {
            return new Address(advertisedHost, port, new UUID(0, port));
        }

        @Override
        public Subscription watch(Address other, Runnable onProof) {
            proofs.put(other.port(), onProof);
            return () -> {};
        }
    }
}
