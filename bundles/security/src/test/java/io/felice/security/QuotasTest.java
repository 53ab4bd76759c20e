package io.felice.security;

import static io.felice.api.security.QuotaEntity.DEFAULT;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.Principal;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Quotas.Kind;
import io.felice.api.security.Requester;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class QuotasTest {
    private final AtomicLong now = new AtomicLong(TimeUnit.DAYS.toNanos(1));
    private final Metadata metadata = new Metadata();
    private final QuotaService quotas = new QuotaService(metadata, now::get);

    /** The metadata of a cluster that has quotas only. */
    private static final class Metadata implements ClusterMetadata {
        private final List<Consumer<ClusterView>> listeners = new ArrayList<>();
        private ClusterView view = ClusterView.EMPTY;

        void set(QuotaEntity entity, Kind kind, Double value) {
            view = view.after(view.version() + 1, List.of(new MetadataRecord.QuotaSet(entity, kind.key(), value)));
            listeners.forEach(listener -> listener.accept(view));
        }

        @Override
        public ClusterView view() {
            return view;
        }

        @Override
        public int brokerId() {
            return 0;
        }

        @Override
        public CompletionStage<ClusterView> reached(long version) {
            throw new UnsupportedOperationException("quotas wait for no version");
        }

        @Override
        public CompletionStage<ClusterView> replayed(long version) {
            throw new UnsupportedOperationException("quotas wait for no version");
        }

        @Override
        public Subscription listen(Consumer<ClusterView> listener) {
            listeners.add(listener);
            listener.accept(view);
            return () -> {};
        }
    }

    private static Requester user(String name) {
        return new Requester(Principal.user(name), InetAddress.getLoopbackAddress());
    }

    private static QuotaEntity of(String user, String clientId) {
        return new QuotaEntity(user, clientId, null);
    }

    private int produce(String user, String clientId, double bytes) {
        return quotas.charge(Kind.PRODUCE, user(user), clientId, bytes);
    }

    private void pass(long ms) {
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(ms));
    }

    @Test
    void withoutAQuotaNobodyWaits() {
        assertThat(quotas.isAny(Kind.PRODUCE)).isFalse();
        assertThat(produce("alice", "app", 1e12)).isZero();
    }

    @Test
    void aClientUsesTenSecondsWorthAtOnceAndThenWaitsForWhatItHasOverdrawn() {
        metadata.set(of("alice", null), Kind.PRODUCE, 1_000.0);
        assertThat(quotas.isAny(Kind.PRODUCE)).isTrue();
        assertThat(quotas.isAny(Kind.FETCH)).isFalse();
        assertThat(produce("alice", "app", 10_000)).isZero();
        assertThat(produce("alice", "app", 2_000)).isEqualTo(2_000);
        pass(1_500);
        assertThat(produce("alice", "app", 100)).isEqualTo(600);
        pass(600);
        assertThat(produce("alice", "app", 0.001)).isEqualTo(1);
        assertThat(produce("bob", "app", 1e9)).isZero();
    }

    @Test
    void overManySecondsAClientGetsItsRateAndNoMore() {
        metadata.set(of("alice", null), Kind.PRODUCE, 1_000.0);
        long began = now.get();
        long bytes = 0;
        while (now.get() - began < TimeUnit.SECONDS.toNanos(600)) {
            bytes += 700;
            pass(produce("alice", "app", 700));
        }
        assertThat(bytes).isBetween(600_000L, 612_000L);
    }

    @Test
    void theMostSpecificQuotaAppliesInKafkasOrder() {
        List<QuotaEntity> fromTheMostSpecific = List.of(
                of("alice", "app"),
                of("alice", DEFAULT),
                of("alice", null),
                of(DEFAULT, "app"),
                of(DEFAULT, DEFAULT),
                of(DEFAULT, null),
                of(null, "app"),
                of(null, DEFAULT));
        for (int i = fromTheMostSpecific.size() - 1; i >= 0; i--) {
            double limit = 1_000.0 * (i + 1);
            metadata.set(fromTheMostSpecific.get(i), Kind.PRODUCE, limit);
            QuotaLimits limits = new QuotaLimits(metadata.view().security().quotas());
            assertThat(limits.of(Kind.PRODUCE, "alice", "app").perSecond())
                    .as(fromTheMostSpecific.get(i).toString())
                    .isEqualTo(limit);
        }
    }

    @Test
    void anAddressHasItsQuotaHoweverItIsWritten() {
        metadata.set(new QuotaEntity(null, null, "FE80::0:1"), Kind.CONNECTION, 10.0);
        Requester there = new Requester(Principal.ANONYMOUS, Fakes.address("fe80::1%1"));

        assertThat(quotas.charge(Kind.CONNECTION, there, "", 105)).isEqualTo(500);
    }

    @Test
    void aDefaultQuotaIsEachOnesOwn() {
        metadata.set(of(DEFAULT, null), Kind.PRODUCE, 1_000.0);
        assertThat(produce("alice", "a", 11_000)).isEqualTo(1_000);
        assertThat(produce("alice", "b", 1)).isPositive();
        assertThat(produce("bob", "a", 10_000)).isZero();
        metadata.set(of(DEFAULT, null), Kind.PRODUCE, null);
        metadata.set(of(null, DEFAULT), Kind.PRODUCE, 1_000.0);
        assertThat(produce("carol", "a", 11_000)).isEqualTo(1_000);
        assertThat(produce("dave", "a", 1))
                .as("the client id is shared by users")
                .isPositive();
        assertThat(produce("carol", "b", 10_000)).isZero();
    }

    @Test
    void aHundredPercentIsOneThread() {
        metadata.set(of("alice", null), Kind.REQUEST, 50.0);
        assertThat(quotas.charge(Kind.REQUEST, user("alice"), "app", 5e9)).isZero();
        assertThat(quotas.charge(Kind.REQUEST, user("alice"), "app", 0.1e9)).isEqualTo(200);
        assertThat(quotas.charge(Kind.REQUEST, user("alice"), "app", 60e9))
                .as("no longer than a second for one request")
                .isEqualTo(1_000);
    }

    @Test
    void anAddressHasItsOwnQuotaOrTheDefault() {
        metadata.set(new QuotaEntity(null, null, DEFAULT), Kind.CONNECTION, 10.0);
        assertThat(quotas.charge(Kind.CONNECTION, user("x"), "", 105)).isEqualTo(500);
        metadata.set(new QuotaEntity(null, null, "127.0.0.1"), Kind.CONNECTION, 100.0);
        pass(10_000);
        assertThat(quotas.charge(Kind.CONNECTION, user("x"), "", 900)).isZero();
    }

    @Test
    void aQuotaThatIsRemovedIsForgotten() {
        metadata.set(of("alice", null), Kind.PRODUCE, 1_000.0);
        produce("alice", "app", 20_000);
        metadata.set(of("alice", null), Kind.PRODUCE, null);
        assertThat(quotas.isAny(Kind.PRODUCE)).isFalse();
        assertThat(produce("alice", "app", 1)).isZero();
        assertThat(quotas.tables().get(0).cell("clients", "used")).contains(0L);
    }

    @Test
    void clientsWithinTheirQuotaAreForgottenWhenThereAreTooMany() {
        metadata.set(of(null, DEFAULT), Kind.PRODUCE, 1_000.0);
        produce("alice", "greedy", 1_000_000);
        for (int i = 0; i < QuotaService.MOST_CLIENTS + 10; i++) {
            produce("alice", "client-" + i, 1);
        }
        assertThat((long) quotas.tables().get(0).cell("clients", "used").orElseThrow())
                .isLessThanOrEqualTo(QuotaService.MOST_CLIENTS);
        assertThat(produce("alice", "greedy", 1)).isPositive();
    }

    @Test
    void theTableShowsWhoWaits() {
        metadata.set(of("alice", null), Kind.PRODUCE, 1_000.0);
        produce("alice", "app", 12_000);
        produce("bob", "app", 12_000);
        assertThat(quotas.tables().get(1).rows())
                .containsExactly(List.of("user alice", "producer_byte_rate", 1_000.0, 2_000L, 2_000L));
    }
}
