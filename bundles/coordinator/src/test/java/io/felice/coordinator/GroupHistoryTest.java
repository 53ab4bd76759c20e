package io.felice.coordinator;

import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.REBALANCE;
import static io.felice.coordinator.Stage.SESSION;
import static io.felice.coordinator.Stage.now;
import static io.felice.coordinator.Stage.protocol;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups.Description;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Leaving;
import io.felice.api.group.Groups.MemberDescription;
import io.felice.api.group.Groups.State;
import io.felice.api.group.Groups.Sync;
import io.felice.api.group.Groups.Synced;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Random histories of a group under virtual time. Members join, sync, commit, leave, crash and come back. Meanwhile the
 * coordinator is swapped, fails over, loses records that were not committed, and sometimes cannot write.
 */
class GroupHistoryTest {
    private static final int HISTORIES = 100;
    private static final int STEPS = 400;
    private static final int ID_SUFFIX = 37;

    @Test
    void whateverHappensTheGroupStaysOneGroupAndNoCommitIsLost() {
        long first = Long.getLong("felice.seed", System.nanoTime());
        int generations = 0;
        int commits = 0;
        for (long seed = first; seed < first + HISTORIES; seed++) {
            try {
                History history = new History(seed);
                history.run();
                generations += history.nonces.size();
                commits += history.commitCount;
            } catch (AssertionError | RuntimeException failure) {
                throw new AssertionError("history of seed " + seed + " (-Dfelice.seed=" + seed + ")", failure);
            }
        }
        assertThat(generations).as("stable generations").isGreaterThan(2 * HISTORIES);
        assertThat(commits).as("acknowledged commits").isGreaterThan(2 * HISTORIES);
    }

    /** A member that behaves as a client does: one request at a time, each depending on the last answer. */
    private final class Client {
        private final History history;
        private final String instanceId;
        private String memberId = "";
        private int generation = -1;
        private boolean stable;
        private boolean waiting;
        private int life;

        Client(History history, String instanceId) {
            this.history = history;
            this.instanceId = instanceId;
        }

        void join() {
            if (waiting) {
                return;
            }
            waiting = true;
            stable = false;
            int mine = life;
            Join request = new Join(
                    GROUP,
                    memberId,
                    instanceId,
                    "client",
                    "/host",
                    true,
                    true,
                    SESSION,
                    REBALANCE,
                    "consumer",
                    List.of(protocol("range", "m" + history.random.nextInt(2))),
                    "test");
            history.stage.groups.join(request).thenAccept(joined -> {
                history.joined(joined);
                if (mine == life) {
                    waiting = false;
                    took(joined);
                }
            });
        }

        private void took(Joined joined) {
            switch (joined.error()) {
                case NONE -> {
                    memberId = joined.memberId();
                    generation = joined.generationId();
                    sync(joined);
                }
                case MEMBER_ID_REQUIRED -> memberId = joined.memberId();
                case UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID -> reset();
                default -> stable = false;
            }
        }

        private void sync(Joined joined) {
            waiting = true;
            int mine = life;
            Map<String, byte[]> assignments = new HashMap<>();
            long nonce = history.random.nextLong();
            if (!joined.skipAssignment()) {
                joined.members()
                        .forEach(m -> assignments.put(
                                m.memberId(), (generation + "," + nonce + "," + m.memberId()).getBytes(UTF_8)));
            }
            Sync request = new Sync(GROUP, generation, memberId, instanceId, "consumer", "range", assignments);
            String asMember = memberId;
            int inGeneration = generation;
            history.stage.groups.sync(request).thenAccept(synced -> {
                history.synced(inGeneration, asMember, instanceId, synced);
                if (mine == life) {
                    waiting = false;
                    stable = synced.error() == ErrorCode.NONE;
                    if (synced.error() == ErrorCode.UNKNOWN_MEMBER_ID) {
                        reset();
                    }
                }
            });
        }

        void heartbeat() {
            if (waiting || !stable) {
                return;
            }
            ErrorCode error = history.stage.groups.heartbeat(GROUP, generation, memberId, instanceId);
            switch (error) {
                case NONE, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE -> {}
                case UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID -> reset();
                default -> stable = false;
            }
        }

        void commit() {
            if (stable && !waiting) {
                history.commit(generation, memberId, instanceId);
            }
        }

        void leave() {
            if (stable && !waiting) {
                history.stage.groups.leave(GROUP, List.of(new Leaving(memberId, instanceId, "test")));
                reset();
            }
        }

        /** Forgets its member id and ignores the answer to its open request, as a client that was restarted. */
        void crash() {
            life++;
            waiting = false;
            reset();
        }

        private void reset() {
            memberId = "";
            generation = -1;
            stable = false;
        }

        /** One step of the client's loop: a heartbeat in a stable group, else a join. */
        void live() {
            if (stable) {
                heartbeat();
            }
            if (!stable) {
                join();
            }
        }
    }

    /** One random history, and the invariants that it checks. */
    private final class History {
        private final Random random;
        private final Stage stage = new Stage();
        private final List<Client> clients = new ArrayList<>();
        private final Map<String, String> leaders = new HashMap<>();
        private final Map<Integer, String> nonces = new TreeMap<>();
        private final Map<TopicPartition, Long> acknowledged = new HashMap<>();
        private final Map<TopicPartition, Long> observed = new HashMap<>();
        private int incarnation;
        private int newestStable;
        private int commitCount;
        private long nextOffset;

        History(long seed) {
            random = new Random(seed);
            for (int i = 0; i < 6; i++) {
                clients.add(new Client(this, i < 2 ? "static" + i : null));
            }
        }

        void run() {
            for (int i = 0; i < STEPS; i++) {
                step();
                observe();
            }
            recover();
            everybodyGetsIn();
            reloadChangesNothing();
        }

        private void step() {
            Client client = clients.get(random.nextInt(clients.size()));
            switch (random.nextInt(24)) {
                case 0, 1, 2, 3, 4 -> client.live();
                case 5, 6 -> clients.forEach(Client::live);
                case 7, 8, 9, 10 -> client.commit();
                case 11 -> client.leave();
                case 12 -> client.crash();
                case 13 -> client.join();
                case 14 -> stage.offsetsLog().hold();
                case 15, 16 -> stage.offsetsLog().release();
                case 17 -> stage.time.advance(GroupLimits.WRITE_TIMEOUT);
                case 18 -> stage.offsetsLog().refuse(random.nextBoolean() ? ErrorCode.NOT_ENOUGH_REPLICAS : null);
                case 19 -> swap();
                case 20 -> failOver();
                default -> stage.time.advance(Duration.ofMillis(random.nextInt(4000)));
            }
        }

        private void swap() {
            incarnation++;
            stage.restart();
        }

        private void failOver() {
            incarnation++;
            FakePartition old = stage.offsetsLog();
            if (random.nextBoolean()) {
                stage.broker.resign(0);
            }
            if (random.nextBoolean()) {
                old.truncateToHighWatermark();
            }
            stage.broker.lead(0);
            old.answerHeld();
            if (random.nextBoolean()) {
                stage.offsetsLog().release();
            }
            stage.time.settle();
        }

        // ---- what must hold

        /** Each generation has one leader; all member ids of a static member count as one member. */
        private void joined(Joined joined) {
            if (joined.error() == ErrorCode.NONE) {
                String key = incarnation + "/" + joined.generationId();
                String leader = nameOf(joined.leaderId());
                assertThat(leaders.putIfAbsent(key, leader))
                        .as("leader of %s", key)
                        .isIn(null, leader);
            }
        }

        private static String nameOf(String memberId) {
            String name = memberId.substring(0, memberId.length() - ID_SUFFIX);
            return name.startsWith("static") ? name : memberId;
        }

        /** The members of a generation get parts of the same assignment, and generations never decrease. */
        private void synced(int generation, String memberId, String instanceId, Synced synced) {
            if (synced.error() != ErrorCode.NONE) {
                return;
            }
            String[] parts = new String(synced.assignment(), UTF_8).split(",");
            assertThat(parts)
                    .as("assignment of %s in generation %s", memberId, generation)
                    .hasSize(3);
            assertThat(parts[0]).isEqualTo(Integer.toString(generation));
            assertThat(nonces.putIfAbsent(generation, parts[1]))
                    .as("assignment of generation %s", generation)
                    .isIn(null, parts[1]);
            assertThat(nameOf(parts[2])).isEqualTo(nameOf(memberId));
            assertThat(generation).isGreaterThanOrEqualTo(newestStable);
            newestStable = generation;
        }

        private void commit(int generation, String memberId, String instanceId) {
            TopicPartition partition = new TopicPartition("t", random.nextInt(3));
            long offset = nextOffset++;
            stage.groups
                    .commit(GROUP, generation, memberId, instanceId, Map.of(partition, Stage.offset(offset)))
                    .thenAccept(outcomes -> {
                        if (outcomes.get(partition) == ErrorCode.NONE) {
                            commitCount++;
                            acknowledged.merge(partition, offset, Math::max);
                        }
                    });
        }

        private Optional<Map<TopicPartition, Long>> fetch() {
            FetchedOffsets fetched = now(stage.groups.fetchOffsets(GROUP, Optional.empty(), false));
            if (fetched.error() != ErrorCode.NONE) {
                return Optional.empty();
            }
            Map<TopicPartition, Long> offsets = new HashMap<>();
            fetched.offsets().forEach((partition, offset) -> offsets.put(partition, offset.offset()));
            return Optional.of(offsets);
        }

        /** A committed offset is never lower than one that was acknowledged or fetched before, and is that of the log. */
        private void observe() {
            fetch().ifPresent(offsets -> {
                acknowledged.forEach((partition, offset) -> assertThat(offsets.getOrDefault(partition, -1L))
                        .as("%s", partition)
                        .isGreaterThanOrEqualTo(offset));
                observed.forEach((partition, offset) -> assertThat(offsets.getOrDefault(partition, -1L))
                        .as("%s", partition)
                        .isGreaterThanOrEqualTo(offset));
                observed.putAll(offsets);
                assertThat(offsets)
                        .as("what the coordinator has in memory")
                        .isEqualTo(CommittedRecords.offsetsIn(stage.offsetsLog().log()));
            });
        }

        /** Heals the log and reloads the coordinator. */
        private void recover() {
            stage.offsetsLog().refuse(null);
            stage.offsetsLog().release();
            swap();
            stage.time.advance(Duration.ofSeconds(2));
            observe();
        }

        private void everybodyGetsIn() {
            for (int second = 0; second < 300 && !isOneGeneration(); second++) {
                clients.forEach(Client::live);
                stage.time.advance(Duration.ofSeconds(1));
            }
            assertThat(isOneGeneration())
                    .as("all members are in one generation")
                    .isTrue();
        }

        private boolean isOneGeneration() {
            Set<Integer> generations = new TreeSet<>();
            clients.forEach(client -> generations.add(client.stable && !client.waiting ? client.generation : -1));
            Description group = now(stage.groups.describe(GROUP));
            return generations.size() == 1
                    && !generations.contains(-1)
                    && group.state() == State.STABLE
                    && group.members().size() == clients.size();
        }

        private void reloadChangesNothing() {
            clients.forEach(Client::commit);
            Map<TopicPartition, Long> offsets = fetch().orElseThrow();
            List<String> members = membersNow();

            swap();

            assertThat(fetch()).contains(offsets);
            assertThat(membersNow()).isEqualTo(members);
            clients.forEach(client -> {
                client.heartbeat();
                assertThat(client.stable)
                        .as("%s is still a member", client.memberId)
                        .isTrue();
            });
        }

        private List<String> membersNow() {
            Description group = now(stage.groups.describe(GROUP));
            List<String> all = new ArrayList<>();
            for (MemberDescription m : group.members()) {
                all.add(m.memberId() + " " + m.groupInstanceId() + " " + new String(m.metadata(), UTF_8) + " "
                        + new String(m.assignment(), UTF_8));
            }
            all.sort(null);
            all.add(group.protocol());
            return all;
        }
    }
}
