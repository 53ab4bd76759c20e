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
 * Which handler answers which API, and what ApiVersions advertises. An API whose handler went away stays advertised. The
 * table is a component apart from {@link Handlers}: a handler that needs {@link ServedApis} would otherwise wait for the
 * component that waits for handlers.
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
        complete = complete || expected.stream().allMatch(api -> slots.get(api.key()).range != null);
    }

    /**
     * A handler as it was registered.
     *
     * @param id of this registration; all that a request remembers of its handler
     */
    record Service(long id, int ranking, RequestHandler<ApiMessage, ApiMessage> handler) {}

    /** The place of an API. */
    static final class Slot {
        private final Api api;
        private Service[] candidates = {};
        private volatile Service current;
        /** What is advertised; stays when the handler goes. */
        private volatile Range range;

        private Slot(Api api) {
            this.api = api;
        }

        Api api() {
            return api;
        }

        /** The handler that serves the API now; null while there is none. Do not keep it. */
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
