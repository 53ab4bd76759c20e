package io.felice.broker;

import io.felice.api.ErrorCode;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogDir.ReplicaSize;
import io.felice.api.storage.Volume;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.OpenedLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Lists each storage engine as a log dir with its replicas. May read the file system, so only pool threads call it. */
final class LogDirs {
    private final Replicas replicas;
    private final Engines engines;

    LogDirs(Replicas replicas, Engines engines) {
        this.replicas = replicas;
        this.engines = engines;
    }

    List<LogDir> list() {
        Map<String, List<ReplicaSize>> sizes = new TreeMap<>();
        for (Replica replica : replicas.all()) {
            String engine = replica.engine;
            if (engine != null) {
                OpenedLog log = replica.log;
                sizes.computeIfAbsent(engine, unused -> new ArrayList<>())
                        .add(new ReplicaSize(replica.partition, log == null ? 0 : log.sizeInBytes(), 0));
            }
        }
        List<LogDir> dirs = new ArrayList<>();
        for (MountedEngine engine : engines.all()) {
            List<ReplicaSize> here = sizes.remove(engine.name());
            dirs.add(new LogDir(engine.engine().volume(), ErrorCode.NONE, here == null ? List.of() : here));
        }
        sizes.forEach((name, missing) ->
                dirs.add(new LogDir(new Volume(name + ":", -1, -1), ErrorCode.KAFKA_STORAGE_ERROR, missing)));
        return dirs;
    }
}
