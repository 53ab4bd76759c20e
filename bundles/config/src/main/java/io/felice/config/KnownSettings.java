package io.felice.config;

import java.util.List;
import java.util.Map;

/** Which settings there are. */
interface KnownSettings {

    /** The settings of a PID by name; empty if nothing reads it. */
    Map<String, Setting> of(String pid);

    /** The PIDs of all bundles of ours. */
    List<String> pids();
}
