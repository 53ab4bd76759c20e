package io.felice.testkit;

import io.felice.api.wire.WireProtocol;
import java.util.function.UnaryOperator;

class WireProtocolBugsTest extends WireProtocolBugsContract {
    @Override
    protected WireProtocolContract contract(UnaryOperator<WireProtocol> mistake) {
        return new LineWireTest() {
            @Override
            protected WireProtocol wire() {
                return mistake.apply(super.wire());
            }
        };
    }
}
