package io.felice.broker.partition;

import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.controller.ControllerSeat;
import io.felice.controller.ControllerSeat.Decision;
import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * All orders of the events of one partition with three replicas, over the real state machines: {@link InSyncReplicas} of
 * the leaders, {@link Epochs} of the logs, and the controller's decisions. An event is an append, a fetch whose answer
 * comes or is lost, a proposal, its decision, the answer that comes or is lost, a broker that reads the metadata, a broker
 * that is lost or comes back, and the time of {@code replica.lag.time.max.ms}. Messages may be as late as they like: a
 * leader that was deposed goes on until it reads of it. How often each kind of event comes is bounded.
 */
public final class InSyncModel {
    private static final int REPLICAS = 3;
    private static final long LAG = 1_000;
    private static final UUID TOPIC_ID = new UUID(1, 1);
    private static final String TOPIC = "modelled";
    private static final PartitionId PARTITION = new PartitionId(TOPIC_ID, 0);

    /** A mistake that is put into the model, so that it must find a violation. */
    public enum Mistake {
        NONE("none"),
        PENDING_DOES_NOT_COUNT("a replica that is about to join does not count for the high watermark"),
        UNKNOWN_IS_REFUSED("a change whose answer is lost counts as refused"),
        JOINS_TOO_EARLY("all replicas are proposed, whether they have the records or not"),
        COUNTS_BEFORE_COMPARING("a fetch counts before the logs are compared"),
        TRUNCATES_TO_HIGH_WATERMARK("a new follower truncates to its high watermark"),
        NEVER_TRUNCATES("a follower does not say its last epoch"),
        MIN_IN_SYNC_IS_ONE("the high watermark moves with fewer replicas than min.insync.replicas"),
        SAME_EPOCH("a new leader gets no new epoch");

        private final String sentence;

        Mistake(String sentence) {
            this.sentence = sentence;
        }

        public String sentence() {
            return sentence;
        }
    }

    /** How often each kind of event may come. */
    public record Bounds(int appends, int losses, int times, int lostAnswers, int proposals) {}

    /** The result of an exploration. {@code violation} is null if no state breaks an invariant. */
    public record Result(long states, long transitions, int depth, String violation, List<String> history) {}

    private record Request(int broker, long brokerEpoch, InSyncChange change) {}

    private record Answer(int broker, InSyncChange change, Decision decision) {}

    /** One broker: its log as the epochs of its records, and what it knows of the metadata. */
    private record Broker(String log, long highWatermark, ClusterView known, InSyncReplicas leads) {
        long end() {
            return log.length();
        }

        Broker log(String other) {
            return new Broker(other, Math.min(highWatermark, other.length()), known, leads);
        }

        Broker leading(InSyncReplicas other) {
            return new Broker(log, other == null ? highWatermark : other.highWatermark(), known, other);
        }

        Broker heard(long leaders) {
            return new Broker(log, Math.max(highWatermark, Math.min(leaders, end())), known, leads);
        }

        PartitionState state() {
            return InSyncModel.state(known);
        }
    }

    private record State(
            ClusterView view,
            List<Broker> brokers,
            List<LiveRegistration> live,
            Request request,
            Answer answer,
            String committed,
            long now,
            long epochs,
            Bounds left,
            State before,
            String event,
            int depth) {
        State with(int broker, Broker other, Bounds leftNow, String what) {
            List<Broker> changed = new ArrayList<>(brokers);
            changed.set(broker, other);
            return new State(
                    view, changed, live, request, answer, committed, now, epochs, leftNow, this, what, depth + 1);
        }

        State asking(Request other) {
            return new State(view, brokers, live, other, answer, committed, now, epochs, left, before, event, depth);
        }

        State answering(Answer other) {
            return new State(view, brokers, live, request, other, committed, now, epochs, left, before, event, depth);
        }

        State at(ClusterView other) {
            return new State(other, brokers, live, request, answer, committed, now, epochs, left, before, event, depth);
        }

        State live(List<LiveRegistration> other, long epochsNow) {
            return new State(
                    view, brokers, other, request, answer, committed, now, epochsNow, left, before, event, depth);
        }

        State time(long other) {
            return new State(
                    view, brokers, live, request, answer, committed, other, epochs, left, before, event, depth);
        }

        State commit(String all) {
            return new State(view, brokers, live, request, answer, all, now, epochs, left, before, event, depth);
        }

        boolean isLive(int broker) {
            return live.stream().anyMatch(one -> one.broker().brokerId() == broker);
        }
    }

    private static final Field[] MACHINE = Arrays.stream(InSyncReplicas.class.getDeclaredFields())
            .filter(field -> !java.lang.reflect.Modifier.isStatic(field.getModifiers()))
            .toArray(Field[]::new);

    static {
        for (Field field : MACHINE) {
            field.setAccessible(true);
        }
    }

    private final Mistake mistake;
    private final Bounds bounds;
    private final long mostStates;
    private final Set<Long> seen = new HashSet<>();
    private final Map<String, Epochs> epochsOf = new HashMap<>();
    private final Deque<State> open = new ArrayDeque<>();
    private long transitions;
    private int deepestSeen;

    public InSyncModel(Mistake mistake, Bounds bounds, long mostStates) {
        this.mistake = mistake;
        this.bounds = bounds;
        this.mostStates = mostStates;
    }

    /**
     * Explores all states, the nearest first.
     *
     * @param steps events that lead to the state in which the exploration begins
     * @param deepest so many events are explored after them
     */
    public Result explore(List<String> steps, int deepest) {
        try {
            open.add(after(steps));
        } catch (Broken broken) {
            return new Result(0, transitions, broken.at.depth(), broken.getMessage(), broken.history());
        }
        int most = open.peek().depth() + deepest;
        while (!open.isEmpty()) {
            State state = open.poll();
            deepestSeen = state.depth();
            if (state.depth() == most) {
                continue;
            }
            try {
                next(state);
            } catch (Broken broken) {
                return new Result(seen.size(), transitions, broken.at.depth(), broken.getMessage(), broken.history());
            }
            if (seen.size() > mostStates) {
                return new Result(
                        seen.size(), transitions, deepestSeen, "more than " + mostStates + " states", List.of());
            }
        }
        return new Result(seen.size(), transitions, deepestSeen, null, List.of());
    }

    private State after(List<String> steps) {
        State state = first();
        for (String step : steps) {
            seen.clear();
            open.clear();
            next(state);
            List<String> possible = open.stream().map(State::event).toList();
            state = open.stream()
                    .filter(one -> one.event().equals(step))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(step + " is not among " + possible));
        }
        seen.clear();
        open.clear();
        Bounds full = bounds;
        return new State(
                state.view(),
                state.brokers(),
                state.live(),
                state.request(),
                state.answer(),
                state.committed(),
                state.now(),
                state.epochs(),
                full,
                state.before(),
                state.event(),
                state.depth());
    }

    private static final class Broken extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient State at;

        Broken(String what, State at) {
            super(what);
            this.at = at;
        }

        List<String> history() {
            Deque<String> events = new ArrayDeque<>();
            for (State state = at; state != null; state = state.before()) {
                events.addFirst(state.event() + "  →  " + describe(state));
            }
            return List.copyOf(events);
        }
    }

    private static String describe(State state) {
        StringBuilder text = new StringBuilder();
        PartitionState now = state(state.view());
        text.append("leader ")
                .append(now.leader())
                .append(" epoch ")
                .append(now.leaderEpoch())
                .append('.');
        text.append(now.partitionEpoch())
                .append(" isr ")
                .append(now.isr())
                .append(" eligible ")
                .append(now.eligible());
        for (int i = 0; i < REPLICAS; i++) {
            Broker broker = state.brokers().get(i);
            text.append(" | ")
                    .append(i)
                    .append(broker.leads() == null ? "" : "*")
                    .append(": ");
            text.append(broker.log()).append(" hw ").append(broker.highWatermark());
            text.append(" knows ")
                    .append(broker.state().leaderEpoch())
                    .append('.')
                    .append(broker.state().partitionEpoch());
        }
        return text.append(" | committed ").append(state.committed()).toString();
    }

    private State first() {
        List<MetadataRecord> records = new ArrayList<>();
        List<LiveRegistration> live = new ArrayList<>();
        for (int i = 0; i < REPLICAS; i++) {
            LiveRegistration registration = registration(i, i + 1);
            live.add(registration);
            records.add(new MetadataRecord.BrokerRegistered(registration.broker(), registration.epoch()));
        }
        records.add(new MetadataRecord.TopicCreated(TOPIC_ID, TOPIC));
        records.add(new MetadataRecord.ConfigSet(ConfigResource.topic(TOPIC), "min.insync.replicas", "2"));
        records.add(new MetadataRecord.PartitionChanged(
                TOPIC_ID, 0, PartitionState.created(List.of(0, 1, 2), List.of(0, 1, 2), 0)));
        ClusterView view = ClusterView.EMPTY.after(1, records);
        List<Broker> brokers = new ArrayList<>();
        for (int i = 0; i < REPLICAS; i++) {
            brokers.add(new Broker("", 0, view, null));
        }
        brokers.set(0, brokers.get(0).leading(lead(0, brokers.get(0), view, 0)));
        return new State(view, brokers, live, null, null, "", 0, REPLICAS, bounds, null, "first", 0);
    }

    private static LiveRegistration registration(int id, long epoch) {
        return new LiveRegistration(
                new BrokerRegistration(id, new UUID(2, id), new UUID(3, id), List.of(), null), epoch);
    }

    private static PartitionState state(ClusterView view) {
        return view.topic(TOPIC_ID).orElseThrow().partition(0).orElseThrow();
    }

    private static Map<Integer, Long> liveIn(ClusterView view) {
        Map<Integer, Long> live = new HashMap<>();
        view.brokers().forEach((id, broker) -> live.put(id, broker.epoch()));
        return live;
    }

    private InSyncReplicas lead(int id, Broker broker, ClusterView view, long now) {
        return InSyncReplicas.lead(
                id,
                state(view),
                broker.end(),
                broker.end(),
                broker.highWatermark(),
                mistake == Mistake.MIN_IN_SYNC_IS_ONE ? 1 : 2,
                liveIn(view),
                now);
    }

    private static char digit(int epoch) {
        return (char) ('0' + epoch);
    }

    private Epochs epochs(String log) {
        return epochsOf.computeIfAbsent(log, all -> {
            List<Epochs.Entry> entries = new ArrayList<>();
            for (int i = 0; i < all.length(); i++) {
                int epoch = all.charAt(i) - '0';
                if (entries.isEmpty() || entries.get(entries.size() - 1).epoch() != epoch) {
                    entries.add(new Epochs.Entry(epoch, i));
                }
            }
            return new Epochs(entries);
        });
    }

    // ---- events

    private void next(State state) {
        for (int i = 0; i < REPLICAS; i++) {
            Broker broker = state.brokers().get(i);
            if (broker.leads() != null) {
                append(state, i, broker);
                propose(state, i, broker);
            } else {
                fetch(state, i, broker);
            }
            if (broker.known() != state.view() && state.isLive(i)) {
                add(learned(state, i, broker));
            }
            lose(state, i);
        }
        decide(state);
        answer(state);
        pass(state);
    }

    private void append(State state, int id, Broker broker) {
        Bounds left = state.left();
        if (left.appends() == 0) {
            return;
        }
        String log = broker.log() + digit(broker.leads().state().leaderEpoch());
        InSyncReplicas leads = broker.leads().durableTo(log.length());
        add(state.with(
                id,
                new Broker(log, leads.highWatermark(), broker.known(), leads),
                new Bounds(left.appends() - 1, left.losses(), left.times(), left.lostAnswers(), left.proposals()),
                id + " appends"));
    }

    private void propose(State state, int id, Broker broker) {
        Bounds left = state.left();
        if (left.proposals() == 0 || state.request() != null) {
            return;
        }
        long epoch = epochOf(broker.known(), id);
        InSyncReplicas leads = broker.leads().propose(epoch, broker.end(), state.now(), LAG);
        if (leads.change().isEmpty() || leads == broker.leads()) {
            return;
        }
        InSyncChange change = leads.change().get();
        if (mistake == Mistake.PENDING_DOES_NOT_COUNT) {
            leads = leads.refused(change);
        }
        Bounds fewer =
                new Bounds(left.appends(), left.losses(), left.times(), left.lostAnswers(), left.proposals() - 1);
        add(state.with(
                        id,
                        broker.leading(leads),
                        fewer,
                        id + " proposes " + change.isr().keySet())
                .asking(new Request(id, epoch, change)));
    }

    private static long epochOf(ClusterView view, int id) {
        return view.broker(id).map(ClusterView.LiveBroker::epoch).orElse(-1L);
    }

    /** The follower fetches one record from the leader that it knows, if that one leads in the same epoch. */
    private void fetch(State state, int id, Broker follower) {
        int to = follower.state().leader();
        if (to < 0 || to == id) {
            return;
        }
        Broker leader = state.brokers().get(to);
        boolean isSame = leader.leads() != null
                && leader.leads().state().leaderEpoch() == follower.state().leaderEpoch();
        if (!isSame) {
            return;
        }
        int lastEpoch = follower.log().isEmpty() || mistake == Mistake.NEVER_TRUNCATES
                ? -1
                : follower.log().charAt(follower.log().length() - 1) - '0';
        Optional<EpochEnd> divergence = lastEpoch < 0
                ? Optional.empty()
                : epochs(leader.log()).divergence(lastEpoch, follower.end(), leader.end());
        if (divergence.isPresent()) {
            State counted = state;
            if (mistake == Mistake.COUNTS_BEFORE_COMPARING) {
                counted = state.with(to, counted(state, id, follower, leader), state.left(), "counts " + id);
            }
            EpochEnd end = divergence.get();
            long point = end.endOffset() < 0 ? 0 : epochs(follower.log()).truncationPoint(end, follower.end());
            add(counted.with(
                    id,
                    follower.log(follower.log().substring(0, (int) Math.min(point, follower.end()))),
                    state.left(),
                    id + " truncates to " + point));
            return;
        }
        if (follower.end() > leader.end()) {
            return;
        }
        Broker counted = counted(state, id, follower, leader);
        State after = state.with(to, counted, state.left(), id + " fetches from " + to + " at " + follower.end());
        if (counted != leader && state.left().lostAnswers() > 0) {
            add(after);
        }
        String log = follower.end() < leader.end()
                ? follower.log() + leader.log().charAt((int) follower.end())
                : follower.log();
        Broker fetched = new Broker(log, follower.highWatermark(), follower.known(), null)
                .heard(counted.leads().highWatermark());
        if (counted == leader && fetched.equals(follower)) {
            return;
        }
        List<Broker> both = new ArrayList<>(after.brokers());
        both.set(id, fetched);
        add(new State(
                state.view(),
                both,
                state.live(),
                state.request(),
                state.answer(),
                state.committed(),
                state.now(),
                state.epochs(),
                state.left(),
                state,
                id + " fetches from " + to + " at " + follower.end() + " and gets the answer",
                state.depth() + 1));
    }

    private Broker counted(State state, int id, Broker follower, Broker leader) {
        long epoch = epochOf(follower.known(), id);
        if (leader.leads().isStale(id, epoch)) {
            return leader;
        }
        InSyncReplicas leads = leader.leads().fetched(id, epoch, follower.end(), 0, leader.end(), state.now(), LAG);
        return leads == leader.leads() ? leader : leader.leading(leads);
    }

    /** A broker reads the newest metadata, and takes the role that it says. */
    private State learned(State state, int id, Broker broker) {
        PartitionState now = state(state.view());
        Broker after;
        if (now.leader() != id) {
            String log = mistake == Mistake.TRUNCATES_TO_HIGH_WATERMARK
                            && now.leaderEpoch() > broker.state().leaderEpoch()
                    ? broker.log().substring(0, (int) broker.highWatermark())
                    : broker.log();
            after = new Broker(log, broker.highWatermark(), state.view(), null);
        } else if (broker.leads() != null && broker.leads().state().leaderEpoch() == now.leaderEpoch()) {
            InSyncReplicas leads = broker.leads().decided(now, state.now()).live(liveIn(state.view()));
            after = new Broker(broker.log(), leads.highWatermark(), state.view(), leads);
        } else {
            InSyncReplicas leads = lead(id, broker, state.view(), state.now());
            after = new Broker(broker.log(), leads.highWatermark(), state.view(), leads);
        }
        return state.with(id, after, state.left(), id + " reads the metadata");
    }

    /** The controller counts a broker as dead, which goes on and may not know; or as alive again. */
    private void lose(State state, int id) {
        Bounds left = state.left();
        List<LiveRegistration> live = new ArrayList<>(state.live());
        if (state.isLive(id)) {
            if (left.losses() == 0) {
                return;
            }
            live.removeIf(one -> one.broker().brokerId() == id);
            Bounds fewer =
                    new Bounds(left.appends(), left.losses() - 1, left.times(), left.lostAnswers(), left.proposals());
            add(state.with(id, state.brokers().get(id), fewer, id + " is lost")
                    .live(live, state.epochs())
                    .at(brokersChanged(state, live)));
        } else {
            live.add(registration(id, state.epochs() + 1));
            add(state.with(id, state.brokers().get(id), left, id + " is back")
                    .live(live, state.epochs() + 1)
                    .at(brokersChanged(state, live)));
        }
    }

    private ClusterView brokersChanged(State state, List<LiveRegistration> live) {
        ClusterView after = ControllerSeat.brokersChanged(state.view(), live);
        PartitionState next = state(after);
        PartitionState before = state(state.view());
        if (mistake != Mistake.SAME_EPOCH || next.leaderEpoch() == before.leaderEpoch()) {
            return after;
        }
        return after.after(
                after.version() + 1,
                List.of(new MetadataRecord.PartitionChanged(
                        TOPIC_ID,
                        0,
                        new PartitionState(
                                next.replicas(),
                                next.isr(),
                                next.eligible(),
                                next.adding(),
                                next.removing(),
                                next.leader(),
                                before.leaderEpoch(),
                                next.partitionEpoch(),
                                next.recovering()))));
    }

    private void decide(State state) {
        Request request = state.request();
        if (request == null) {
            return;
        }
        InSyncChange change = request.change();
        Map<Integer, Long> isr = new HashMap<>(change.isr());
        if (mistake == Mistake.JOINS_TOO_EARLY) {
            state.live().forEach(one -> isr.put(one.broker().brokerId(), one.epoch()));
        }
        InSyncChange decided =
                new InSyncChange(change.leaderEpoch(), change.partitionEpoch(), isr, change.recovering());
        Decision decision =
                ControllerSeat.alterInSync(state.view(), request.broker(), request.brokerEpoch(), PARTITION, decided);
        Broker broker = state.brokers().get(request.broker());
        State after = state.with(
                        request.broker(),
                        broker,
                        state.left(),
                        "the controller decides on " + isr.keySet() + " of " + request.broker())
                .asking(null)
                .at(decision.view());
        if (state.answer() == null) {
            add(after.answering(new Answer(request.broker(), change, decision)));
        }
        Bounds left = state.left();
        boolean isAwaited = broker.leads() != null && broker.leads().change().orElse(null) == change;
        if (left.lostAnswers() > 0 && isAwaited) {
            Bounds fewer =
                    new Bounds(left.appends(), left.losses(), left.times(), left.lostAnswers() - 1, left.proposals());
            InSyncReplicas given = mistake == Mistake.UNKNOWN_IS_REFUSED
                    ? broker.leads().refused(change)
                    : broker.leads().undecided(change, false);
            // The leader gives up before the controller has decided.
            add(state.with(request.broker(), broker.leading(given), fewer, request.broker() + " gives up the change"));
        }
    }

    private void answer(State state) {
        Answer answer = state.answer();
        if (answer == null) {
            return;
        }
        Broker broker = state.brokers().get(answer.broker());
        State without = state.with(
                        answer.broker(), broker, state.left(), answer.broker() + " gets the controller's answer")
                .answering(null);
        if (broker.leads() == null || broker.leads().change().orElse(null) != answer.change()) {
            add(without);
            return;
        }
        var outcome = answer.decision().outcome();
        InSyncReplicas leads;
        if (!outcome.isFailed()) {
            leads = broker.leads().made(answer.change(), outcome.value(), state.now());
        } else {
            leads = switch (outcome.error()) {
                case INELIGIBLE_REPLICA -> broker.leads().refused(answer.change());
                case INVALID_UPDATE_VERSION,
                        FENCED_LEADER_EPOCH,
                        NOT_LEADER_OR_FOLLOWER,
                        UNKNOWN_TOPIC_ID -> broker.leads().undecided(answer.change(), true);
                default -> broker.leads().undecided(answer.change(), false);
            };
        }
        add(state.with(answer.broker(), broker.leading(leads), state.left(), without.event())
                .answering(null));
    }

    private void pass(State state) {
        Bounds left = state.left();
        if (left.times() == 0) {
            return;
        }
        long now = state.now() + LAG + 1;
        List<Broker> later = new ArrayList<>();
        for (Broker broker : state.brokers()) {
            later.add(
                    broker.leads() == null
                            ? broker
                            : broker.leading(broker.leads().passed(broker.end(), now, LAG)));
        }
        Bounds fewer =
                new Bounds(left.appends(), left.losses(), left.times() - 1, left.lostAnswers(), left.proposals());
        add(new State(
                state.view(),
                later,
                state.live(),
                state.request(),
                state.answer(),
                state.committed(),
                now,
                state.epochs(),
                fewer,
                state,
                "time passes",
                state.depth() + 1));
    }

    // ---- states

    private void add(State state) {
        transitions++;
        State committed = checked(state);
        if (seen.add(key(committed))) {
            open.add(committed);
        }
    }

    private State checked(State state) {
        String committed = state.committed();
        PartitionState now = state(state.view());
        for (int i = 0; i < REPLICAS; i++) {
            Broker broker = state.brokers().get(i);
            String below = broker.log().substring(0, (int) broker.highWatermark());
            if (!below.startsWith(committed) && !committed.startsWith(below)) {
                throw new Broken(
                        "broker " + i + " has " + below + " below its high watermark, committed is " + committed,
                        state);
            }
            if (broker.leads() != null && below.length() > committed.length()) {
                committed = below;
            }
        }
        for (int id : now.replicas()) {
            boolean mayBeElected = now.isr().contains(id) || now.eligible().contains(id);
            if (mayBeElected && !state.brokers().get(id).log().startsWith(committed)) {
                throw new Broken(
                        "broker " + id + " may be elected, and has "
                                + state.brokers().get(id).log() + ", committed is " + committed,
                        state);
            }
        }
        for (int i = 0; i < REPLICAS; i++) {
            for (int j = i + 1; j < REPLICAS; j++) {
                InSyncReplicas one = state.brokers().get(i).leads();
                InSyncReplicas other = state.brokers().get(j).leads();
                if (one != null
                        && other != null
                        && one.state().leaderEpoch() == other.state().leaderEpoch()) {
                    throw new Broken("brokers " + i + " and " + j + " lead in the same epoch", state);
                }
            }
        }
        return committed.equals(state.committed()) ? state : state.commit(committed);
    }

    private static long key(State state) {
        StringBuilder key = new StringBuilder();
        view(key, state.view());
        for (Broker broker : state.brokers()) {
            key.append('#').append(broker.log()).append(broker.highWatermark());
            view(key, broker.known());
            if (broker.leads() != null) {
                for (Field field : MACHINE) {
                    try {
                        key.append(field.get(broker.leads())).append(',');
                    } catch (IllegalAccessException impossible) {
                        throw new IllegalStateException(impossible);
                    }
                }
            }
        }
        key.append(state.request() == null ? "" : state.request().toString());
        if (state.answer() != null) {
            Answer answer = state.answer();
            key.append(answer.broker())
                    .append(answer.change())
                    .append(answer.decision().outcome());
        }
        key.append(state.committed()).append(state.now()).append(state.epochs()).append(state.left());
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < key.length(); i++) {
            hash = (hash ^ key.charAt(i)) * 0x100000001b3L;
            hash ^= hash >>> 29;
        }
        return hash;
    }

    private static void view(StringBuilder key, ClusterView view) {
        key.append(state(view));
        view.brokers()
                .forEach((id, broker) ->
                        key.append(id).append('=').append(broker.epoch()).append(' '));
    }
}
