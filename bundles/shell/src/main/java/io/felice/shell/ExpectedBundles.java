package io.felice.shell;

import io.felice.api.status.Trouble;
import io.felice.api.status.Trouble.Extent;
import io.felice.shell.InstalledBundle.State;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The bundles of a node, and what does not work without each of them. A bundle that is not running cannot report its
 * own trouble.
 */
final class ExpectedBundles {
    private static final String PREFIX = "io.felice.";

    /** What does not work without a bundle. */
    private record Loss(Extent extent, String consequence) {}

    private static final Map<String, Loss> EXPECTED = expected();

    private static Map<String, Loss> expected() {
        Map<String, Loss> expected = new LinkedHashMap<>();
        expected.put("api", new Loss(Extent.PART, "bundles that are installed from now on do not find Felice's API"));
        expected.put("config", new Loss(Extent.PART, "mistakes in changed files of etc are not noticed"));
        expected.put("protocol", new Loss(Extent.PART, "no request handler can be installed or updated"));
        expected.put("network", new Loss(Extent.NODE, "clients cannot connect"));
        expected.put("handlers", new Loss(Extent.NODE, "no request is answered"));
        expected.put("security", new Loss(Extent.NODE, "nobody says what clients may do, so no request is answered"));
        expected.put("broker", new Loss(Extent.NODE, "no partition is served"));
        expected.put("controller", new Loss(Extent.PART, "topics and settings cannot be changed"));
        expected.put("coordinator", new Loss(Extent.PART, "consumer groups do not work"));
        expected.put("replication", new Loss(Extent.PART, "nothing is replicated from other brokers"));
        expected.put("storage.log", new Loss(Extent.PART, "the topics of the engine log are offline"));
        expected.put("zookeeper", new Loss(Extent.PART, "the embedded ZooKeeper does not run"));
        expected.put("cluster.zookeeper", new Loss(Extent.PART, "the cluster's metadata cannot be reached"));
        return expected;
    }

    /** The names of the bundles without which a node does not serve fully. */
    static List<String> names() {
        return EXPECTED.keySet().stream().map(PREFIX::concat).toList();
    }

    /** A trouble for each bundle that is missing or not active. */
    List<Trouble> missed(List<InstalledBundle> installed) {
        List<Trouble> troubles = new ArrayList<>();
        Map<String, InstalledBundle> byName = installed.stream()
                .collect(Collectors.toMap(InstalledBundle::name, bundle -> bundle, ExpectedBundles::theActiveOne));
        for (String name : names()) {
            if (!byName.containsKey(name)) {
                troubles.add(
                        trouble(name, "is not installed", "Install its feature: felice exec feature:install felice"));
            }
        }
        byName.values().stream()
                .filter(bundle -> bundle.isOurs() && !bundle.isFragment() && bundle.state() != State.ACTIVE)
                .map(ExpectedBundles::notActive)
                .forEach(troubles::add);
        return troubles;
    }

    private static InstalledBundle theActiveOne(InstalledBundle one, InstalledBundle other) {
        return one.state() == State.ACTIVE ? one : other;
    }

    private static Trouble notActive(InstalledBundle bundle) {
        String name = bundle.name();
        return switch (bundle.state()) {
            case UNRESOLVED -> trouble(
                    name, "cannot be resolved", "To see which requirement is missing: felice exec bundle:diag " + name);
            case STOPPED -> trouble(
                    name,
                    bundle.isWanted() ? "did not start" : "was stopped by hand, and stays stopped at the next start",
                    "Start it: felice exec bundle:start " + name);
            case CHANGING, ACTIVE -> trouble(name, "is being started or stopped", "It takes a moment");
        };
    }

    private static Trouble trouble(String name, String what, String remedy) {
        Loss loss = name.startsWith(PREFIX) ? EXPECTED.get(name.substring(PREFIX.length())) : null;
        String consequence = loss == null ? "its functions are missing" : loss.consequence();
        return new Trouble(
                loss == null ? Extent.PART : loss.extent(),
                "The bundle " + name + " " + what + ": " + consequence + ". " + remedy);
    }
}
