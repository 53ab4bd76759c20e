package io.felice.controller;

import io.felice.api.cluster.Admin;
import io.felice.api.status.StatusSource;
import io.felice.testkit.StatusSourceContract;
import java.util.List;

class ControllerStatusTest extends StatusSourceContract {
    private int topics;

    @Override
    protected StatusSource source() {
        return ControllerSetup.withBrokers(1, 2).controller;
    }

    @Override
    protected void work(StatusSource source) {
        ((Admin) source).createTopics(List.of(ControllerSetup.topic("topic-" + topics++, 3, 2)), false);
    }
}
