package io.felice.storage.memory;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Keeps all logs on the heap, within one limit of bytes. A restart loses them. */
@Component(
        service = {StorageEngine.class, StatusSource.class},
        property = StorageEngine.NAME + "=memory",
        configurationPid = "io.felice.storage.memory",
        immediate = true)
@Designate(ocd = MemoryStorageEngine.Config.class)
public final class MemoryStorageEngine implements StorageEngine, StatusSource {
    private static final TableSchema STATUS = TableSchema.limits("storage.memory");

    @ObjectClassDefinition(name = "Felice storage: memory", description = "Logs on the heap; a restart forgets them.")
    public @interface Config {
        @AttributeDefinition(
                description = "Most bytes of all logs together; when they are used up, appends are refused.",
                min = "0")
        long bytes() default 268_435_456L;
    }

    private static final Set<EngineTrait> TRAITS =
            Set.of(EngineTrait.APPENDS_WITHOUT_BLOCKING, EngineTrait.REPLACES_RANGES);

    private final Map<LogId, MemoryLog> logs = new ConcurrentHashMap<>();
    private final AtomicLong used = new AtomicLong();
    private final Clock clock;
    private volatile long budget;

    @Activate
    public MemoryStorageEngine(Config config) {
        this(config.bytes(), Clock.systemUTC());
    }

    public MemoryStorageEngine(long budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
    }

    /**
     * Changes the limit of bytes. Logs that are above the new limit keep their records; appends fail until there is
     * room.
     */
    @Modified
    void modified(Config config) {
        budget = config.bytes();
    }

    @Override
    public Set<EngineTrait> traits() {
        return TRAITS;
    }

    @Override
    public Volume volume() {
        return new Volume("memory:", budget, Math.max(0, budget - used.get()));
    }

    @Override
    public PartitionLog open(LogId id, long lease) {
        return logs.computeIfAbsent(id, unused -> new MemoryLog(id, this, clock))
                .lend(lease);
    }

    @Override
    public void delete(LogId id) {
        MemoryLog log = logs.remove(id);
        if (log != null) {
            log.delete();
        }
    }

    @Override
    public Set<LogId> logs() {
        return Set.copyOf(logs.keySet());
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(STATUS.rows(List.of(TableSchema.limitOfBytes("bytes", used.get(), budget))));
    }

    /**
     * Reserves {@code bytes} if the limit allows it.
     *
     * @return false, with nothing reserved, if the limit does not allow it
     */
    boolean take(long bytes) {
        if (used.addAndGet(bytes) <= budget) {
            return true;
        }
        giveBack(bytes);
        return false;
    }

    void giveBack(long bytes) {
        used.addAndGet(-bytes);
    }
}
