package io.felice.storage.log;

import java.time.Clock;
import java.util.concurrent.Executor;

/** The objects that all logs of an engine share. */
record LogResources(
        DiskFiles files,
        TailBuffers tails,
        OpenFiles openFiles,
        LogCounters counters,
        LogSettings settings,
        Clock clock,
        VolumeSpace volumeSpace,
        Executor flusher) {}
