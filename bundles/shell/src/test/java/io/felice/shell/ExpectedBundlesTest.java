package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import io.felice.api.status.Trouble.Extent;
import io.felice.shell.InstalledBundle.State;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExpectedBundlesTest {
    private final List<InstalledBundle> installed = new ArrayList<>();

    ExpectedBundlesTest() {
        ExpectedBundles.names().forEach(name -> installed.add(bundle(name, State.ACTIVE, true)));
    }

    private static InstalledBundle bundle(String name, State state, boolean isWanted) {
        return new InstalledBundle(name, state, false, true, isWanted);
    }

    private void replace(String name, State state, boolean isWanted) {
        installed.removeIf(bundle -> bundle.name().equals(name));
        installed.add(bundle(name, state, isWanted));
    }

    private Trouble onlyTrouble() {
        List<Trouble> troubles = new ExpectedBundles().missed(installed);
        assertThat(troubles).hasSize(1);
        return troubles.get(0);
    }

    @Test
    void aNodeWithAllItsBundlesHasNoTrouble() {
        installed.add(new InstalledBundle("a.fragment", State.STOPPED, true, true, false));
        installed.add(new InstalledBundle("a.library", State.STOPPED, false, false, false));

        assertThat(new ExpectedBundles().missed(installed)).isEmpty();
    }

    @Test
    void withoutHandlersTheNodeServesNoClient() {
        replace("io.felice.handlers", State.STOPPED, false);

        assertThat(onlyTrouble().extent()).isEqualTo(Extent.NODE);
        assertThat(onlyTrouble().reason())
                .contains("io.felice.handlers was stopped by hand", "felice exec bundle:start io.felice.handlers");
    }

    @Test
    void withoutTheCoordinatorTheNodeServesInPart() {
        replace("io.felice.coordinator", State.STOPPED, true);

        assertThat(onlyTrouble().extent()).isEqualTo(Extent.PART);
        assertThat(onlyTrouble().reason()).contains("io.felice.coordinator did not start: consumer groups do not work");
    }

    @Test
    void aBundleThatIsNotInstalledIsReported() {
        installed.removeIf(bundle -> bundle.name().equals("io.felice.controller"));

        assertThat(onlyTrouble().reason()).contains("io.felice.controller is not installed");
    }

    @Test
    void aPluginThatCannotBeResolvedIsReported() {
        installed.add(bundle("com.example.tape", State.UNRESOLVED, true));

        assertThat(onlyTrouble())
                .isEqualTo(Trouble.inPart("The bundle com.example.tape cannot be resolved: its functions are missing."
                        + " To see which requirement is missing: felice exec bundle:diag com.example.tape"));
    }

    @Test
    void oneActiveVersionOfABundleIsEnough() {
        installed.add(bundle("io.felice.broker", State.STOPPED, false));

        assertThat(new ExpectedBundles().missed(installed)).isEmpty();
    }
}
