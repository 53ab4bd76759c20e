package io.felice.network;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.ServedApis;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.apache.kafka.common.protocol.ApiMessage;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * The handler of each API, and the APIs that ApiVersions advertises. An API whose handler was removed stays advertised.
 * {@link Handlers} is another component, because handlers may need {@link ServedApis}: in one component each would wait
 * for the other.
 */
@Component(service = {ApiTable.class, ServedApis.class})
public final class ApiTable implements ServedApis {
    static final int KEYS = 256;

    private final AtomicReferenceArray<Slot> slots = new AtomicReferenceArray<>(KEYS);
    private final List<Api> expected;
    private final List<Consumer<Slot>> arrivals = new CopyOnWriteArrayList<>();
    private final List<LongConsumer> departures = new CopyOnWriteArrayList<>();
    private final AtomicLong lastId = new AtomicLong();
    private volatile List<Range> ranges = List.of();
    private volatile boolean complete;

    @Activate
    public ApiTable() {
        this(Apis.all());
    }

    ApiTable(List<Api> rows) {
        expected = rows.stream().filter(Api::expected).toList();
        expected.forEach(api -> slots.set(api.key(), new Slot(api)));
        complete = expected.isEmpty();
    }

    @Override
    public List<Range> ranges() {
        return ranges;
    }

    /** The slot of an API; null if this node neither serves nor expects the API. */
    Slot slot(short key) {
        return key >= 0 && key < KEYS ? slots.get(key) : null;
    }

    /** True once every expected API has a handler. */
    boolean isComplete() {
        return complete;
    }

    /** {@code arrived} gets each API that has a handler again, {@code left} the id of each removed {@link Service}. */
    void onChange(Consumer<Slot> arrived, LongConsumer left) {
        arrivals.add(arrived);
        departures.add(left);
    }

    void removeOnChange(Consumer<Slot> arrived, LongConsumer left) {
        arrivals.remove(arrived);
        departures.remove(left);
    }

    void add(Api api, int ranking, RequestHandler<ApiMessage, ApiMessage> handler) {
        Slot slot;
        synchronized (this) {
            slot = slots.get(api.key());
            if (slot == null) {
                slot = new Slot(api);
                slots.set(api.key(), slot);
            }
            slot.add(new Service(lastId.incrementAndGet(), ranking, handler));
            recompute();
        }
        for (Consumer<Slot> listener : arrivals) {
            listener.accept(slot);
        }
    }

    /** After this call no request begins with this handler. */
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
            if (slot != null && slot.range != null && !slot.api.ofBrokers()) {
                now.add(slot.range);
            }
        }
        ranges = List.copyOf(now);
        complete = complete || expected.stream().allMatch(api -> slots.get(api.key()).range != null);
    }

    /**
     * A registered handler.
     *
     * @param id of this registration; requests keep only the id, so that a removed handler can be garbage-collected
     */
    record Service(long id, int ranking, RequestHandler<ApiMessage, ApiMessage> handler) {}

    /** The handlers of one API. */
    static final class Slot {
        private final Api api;
        private Service[] candidates = {};
        private volatile Service current;
        /** The advertised version ranges. They stay when the handler is removed. */
        private volatile Range range;

        private Slot(Api api) {
            this.api = api;
        }

        Api api() {
            return api;
        }

        /** The present handler of the API; null while there is none. The caller must not keep it. */
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
                range = new Range(api.key(), api.advertisedFrom(), api.to());
            }
        }
    }
}
