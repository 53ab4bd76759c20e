package io.felice.console;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange.Operation;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** Changes dynamic configs of a topic, a broker or all brokers: only those that are named. */
final class ConfigEdits {
    private final NodeServices services;
    private final Audited audited;

    ConfigEdits(NodeServices services, Audited audited) {
        this.services = services;
        this.audited = audited;
    }

    /** What a request sets and unsets. */
    record Patch(Map<String, String> set, List<String> unset) {
        Patch {
            set = set == null ? Map.of() : new TreeMap<>(set);
            unset = unset == null ? List.of() : List.copyOf(unset);
        }

        void check() {
            Set<String> names = new HashSet<>(set.keySet());
            for (String name : unset) {
                if (!names.add(name)) {
                    throw Problem.invalid(name + " is named twice.");
                }
            }
            if (names.isEmpty()) {
                throw Problem.invalid("The request names nothing to change.");
            } else if (set.values().stream().anyMatch(Objects::isNull)) {
                throw Problem.invalid("A value to set is null; to get the default back, put the name into unset.");
            }
        }
    }

    record Diff(String key, String before, String after, Boolean restart) {}

    /** @param kept false if a restart of the node forgets the change; null if it does not */
    record Changed(List<Diff> changed, boolean dryRun, Boolean kept) {}

    /** Names the own values of a resource. */
    String etag(ConfigResource resource) {
        return etag(services.need(ClusterMetadata.class).view().configs(resource));
    }

    static String etag(Map<String, ?> values) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(new TreeMap<>(values).toString().getBytes(StandardCharsets.UTF_8));
            return "\""
                    + Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(digest)
                            .substring(0, 22) + "\"";
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    Answer change(ApiRequest request, ConfigResource resource) throws IOException {
        Patch patch = request.body(Patch.class);
        patch.check();
        request.checkUnchanged(etag(resource));
        boolean isDryRun = request.isDryRun();
        Configs configs = services.need(Configs.class);
        Map<String, String> own =
                new TreeMap<>(services.need(ClusterMetadata.class).view().configs(resource));
        Map<String, String> before = new TreeMap<>(own);
        List<Problem.FieldError> errors = new ArrayList<>();
        patch.set().forEach((key, value) -> {
            try {
                configs.check(resource, key, value);
            } catch (RuntimeException unfit) {
                errors.add(new Problem.FieldError(
                        key, unfit.getMessage(), Problem.of(unfit).body().code()));
            }
        });
        if (!errors.isEmpty()) {
            throw Problem.invalid("Nothing was changed: " + errors.get(0).sentence(), errors);
        }
        own.putAll(patch.set());
        patch.unset().forEach(own::remove);
        configs.check(resource, own);
        Admin admin = services.need(Admin.class).askedBy(request.caller().requester());
        var decision = admin.alterConfigs(Map.of(resource, changes(patch)), isDryRun);
        var decided = ApiRequest.await(
                isDryRun ? decision : services.need(ClusterMetadata.class).replayed(decision));
        throwIfFailed(decided.outcomes().get(resource));
        if (!isDryRun) {
            audited.changed(
                    request,
                    "config-alter " + resource.type() + " " + resource.name() + " "
                            + patch.set().keySet() + " " + patch.unset());
        }
        return Answer.of(new Changed(diffs(patch, before), isDryRun, null)).tagged(etag(resource));
    }

    private static List<Admin.ConfigChange> changes(Patch patch) {
        List<Admin.ConfigChange> changes = new ArrayList<>();
        patch.set().forEach((key, value) -> changes.add(new Admin.ConfigChange(key, Operation.SET, value)));
        patch.unset().forEach(key -> changes.add(new Admin.ConfigChange(key, Operation.DELETE, null)));
        return changes;
    }

    private static List<Diff> diffs(Patch patch, Map<String, String> before) {
        List<Diff> diffs = new ArrayList<>();
        patch.set().forEach((key, value) -> diffs.add(new Diff(key, before.get(key), value, null)));
        patch.unset().forEach(key -> diffs.add(new Diff(key, before.get(key), null, null)));
        return diffs;
    }

    static void throwIfFailed(Outcome<?> outcome) {
        if (outcome == null) {
            throw Problem.of(500, "internal", "There was no outcome.");
        } else if (outcome.isFailed()) {
            throw Problem.of(outcome.error(), outcome.message());
        }
    }
}
