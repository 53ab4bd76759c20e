package io.felice.testkit;

import io.felice.api.wire.WireProtocol;
import java.nio.charset.StandardCharsets;
import java.util.List;

class LineWireTest extends WireProtocolContract {
    @Override
    protected WireProtocol wire() {
        return new LineWire();
    }

    @Override
    protected List<Exchange> conversation() {
        return List.of(line("first\n"), line("\n"), line("third line\n"));
    }

    private static Exchange line(String text) {
        return new Exchange(text.getBytes(StandardCharsets.US_ASCII), true);
    }
}
