package io.felice.network;

import io.felice.protocol.Apis;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.ServedApis;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.apache.kafka.common.protocol.ApiMessage;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * Which handler answers which API, and what is advertised. It remembers an API whose handler is away. It is a component
 * apart from {@link Handlers} so that a handler can ask for {@link ServedApis} without waiting for itself.
 */
@Component(service = {ApiTable.class, ServedApis.class})
public final class ApiTable implements ServedApis {
    /** What this node will serve once all its bundles are up: requests for these wait even if nobody came yet. */
    private static final Set<Short> EXPECTED = Set.of(
            Apis.PRODUCE,
            Apis.FETCH,
            Apis.LIST_OFFSETS,
            Apis.METADATA,
            Apis.OFFSET_COMMIT,
            Apis.OFFSET_FETCH,
            Apis.FIND_COORDINATOR,
            Apis.JOIN_GROUP,
            Apis.HEARTBEAT,
            Apis.LEAVE_GROUP,
            Apis.SYNC_GROUP,
            Apis.DESCRIBE_GROUPS,
            Apis.LIST_GROUPS,
            Apis.API_VERSIONS,
            Apis.CREATE_TOPICS,
            Apis.DELETE_TOPICS,
            Apis.DELETE_RECORDS,
            Apis.INIT_PRODUCER_ID,
            Apis.OFFSET_FOR_LEADER_EPOCH,
            Apis.DESCRIBE_CONFIGS,
            Apis.ALTER_CONFIGS,
            Apis.DESCRIBE_LOG_DIRS,
            Apis.CREATE_PARTITIONS,
            Apis.DELETE_GROUPS,
            Apis.ELECT_LEADERS,
            Apis.INCREMENTAL_ALTER_CONFIGS,
            Apis.ALTER_PARTITION_REASSIGNMENTS,
            Apis.LIST_PARTITION_REASSIGNMENTS,
            Apis.OFFSET_DELETE,
            Apis.DESCRIBE_CLUSTER);

    static final int KEYS = 256;

    private final AtomicReferenceArray<Slot> slots = new AtomicReferenceArray<>(KEYS);
    private final Set<Short> expected;
    private final List<Consumer<Slot>> arrivals = new CopyOnWriteArrayList<>();
    private final List<LongConsumer> departures = new CopyOnWriteArrayList<>();
    private final AtomicLong lastId = new AtomicLong();
    private volatile List<Range> ranges = List.of();
    private volatile boolean complete;

    @Activate
    public ApiTable() {
        this(EXPECTED);
    }

    ApiTable(Set<Short> expected) {
        this.expected = expected;
        expected.forEach(key -> slots.set(key, new Slot(key)));
        complete = expected.isEmpty();
    }

    @Override
    public List<Range> ranges() {
        return ranges;
    }

    /** The place of an API; null if this node does not serve it and is not expected to. */
    Slot slot(short key) {
        return key >= 0 && key < KEYS ? slots.get(key) : null;
    }

    /** True once every API that is expected has come. */
    boolean isComplete() {
        return complete;
    }

    /** {@code arrived} is told when an API has a handler, {@code left} the id of a {@link Service} that went away. */
    void onChange(Consumer<Slot> arrived, LongConsumer left) {
        arrivals.add(arrived);
        departures.add(left);
    }

    void removeOnChange(Consumer<Slot> arrived, LongConsumer left) {
        arrivals.remove(arrived);
        departures.remove(left);
    }

    void add(
            short key,
            short from,
            short to,
            short advertisedFrom,
            int ranking,
            RequestHandler<ApiMessage, ApiMessage> handler) {
        if (key < 0 || key >= KEYS) {
            throw new IllegalArgumentException(
                    handler.getClass().getName() + " serves no API that could exist: " + key);
        }
        Slot slot;
        synchronized (this) {
            slot = slots.get(key);
            if (slot == null) {
                slot = new Slot(key);
                slots.set(key, slot);
            }
            slot.add(new Service(lastId.incrementAndGet(), from, to, advertisedFrom, ranking, handler));
            recompute();
        }
        for (Consumer<Slot> listener : arrivals) {
            listener.accept(slot);
        }
    }

    /** On return no new request begins with this handler. */
    void remove(short key, RequestHandler<?, ?> handler) {
        Slot slot = slot(key);
        Service gone;
        synchronized (this) {
            gone = slot == null ? null : slot.remove(handler);
            recompute();
        }
        if (gone != null) {
            departures.forEach(listener -> listener.accept(gone.id()));
        }
    }

    private void recompute() {
        List<Range> now = new ArrayList<>();
        for (int key = 0; key < KEYS; key++) {
            Slot slot = slots.get(key);
            if (slot != null && slot.range != null) {
                now.add(slot.range);
            }
        }
        ranges = List.copyOf(now);
        complete = complete || expected.stream().allMatch(key -> slots.get(key).range != null);
    }

    /**
     * A handler as it was registered.
     *
     * @param id of this registration; all that a request remembers of its handler
     */
    record Service(
            long id,
            short from,
            short to,
            short advertisedFrom,
            int ranking,
            RequestHandler<ApiMessage, ApiMessage> handler) {
        boolean serves(short version) {
            return version >= from && version <= to;
        }
    }

    /** The place of an API. */
    static final class Slot {
        private final short key;
        private Service[] candidates = {};
        private volatile Service current;
        /** What is advertised; stays when the handler goes. */
        private volatile Range range;

        private Slot(short key) {
            this.key = key;
        }

        short key() {
            return key;
        }

        /** Who serves it now; null if nobody does. Do not keep it. */
        Service current() {
            return current;
        }

        private void add(Service service) {
            Service[] all = Arrays.copyOf(candidates, candidates.length + 1);
            all[candidates.length] = service;
            choose(all);
        }

        private Service remove(RequestHandler<?, ?> handler) {
            Service gone = Arrays.stream(candidates)
                    .filter(candidate -> candidate.handler() == handler)
                    .findFirst()
                    .orElse(null);
            choose(Arrays.stream(candidates)
                    .filter(candidate -> candidate != gone)
                    .toArray(Service[]::new));
            return gone;
        }

        private void choose(Service[] from) {
            candidates = from;
            current = Arrays.stream(from)
                    .max(Comparator.comparingInt(Service::ranking))
                    .orElse(null);
            if (current != null) {
                range = new Range(key, current.advertisedFrom(), current.to());
            }
        }
    }
}
