internal import CSignalGate
internal import SecureInit

SecureInit.main(inheritedSignalMask: signal_gate_inherited_mask())
