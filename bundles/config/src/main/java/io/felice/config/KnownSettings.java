package io.felice.config;

import java.util.List;
import java.util.Map;

/** The settings that the installed bundles have. */
interface KnownSettings {

    /** The settings of a PID by name; empty if no bundle reads it. */
    Map<String, Setting> of(String pid);

    List<String> pids();
}
