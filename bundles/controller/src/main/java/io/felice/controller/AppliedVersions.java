package io.felice.controller;

import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which version of the metadata each live broker has applied, as it has said last. Only used on the controller's thread. */
final class AppliedVersions {
    private final Clock clock;
    private final Map<Integer, Report> reports = new HashMap<>();

    private record Report(long version, long atMs) {}

    AppliedVersions(Clock clock) {
        this.clock = clock;
    }

    ControllerResult<Integer, AppliedVersion> report(ClusterView view, int brokerId, long version) {
        long now = clock.millis();
        reports.put(brokerId, new Report(version, now));
        reports.keySet().retainAll(view.brokers().keySet());
        Map<Integer, Outcome<AppliedVersion>> all = new HashMap<>();
        reports.forEach((id, report) ->
                all.put(id, Outcome.of(new AppliedVersion(report.version(), Math.max(0, now - report.atMs())))));
        return new ControllerResult<>(List.of(), all);
    }
}
