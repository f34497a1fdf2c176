internal import CryptFS
internal import VolumeFormat
internal import VolumeTransfer

extension CommandFailure {
    /// Words a volume's error.
    init(_ error: VolumeError) {
        self.init(ExitStatus(rawValue: error.exitCode) ?? .system, error.description)
    }

    /// Words a transfer's error.
    init(_ error: TransferError) {
        let status: ExitStatus
        switch error {
        case .volume(let cause): status = ExitStatus(rawValue: cause.exitCode) ?? .system
        case .exists, .interruptedWriter: status = .exists
        case .nested, .wrongKind, .noMasterKey, .blocksNotReplaceable: status = .usage
        case .wrongMasterKey: status = .data
        case .notFound: status = .inputOutput
        case .file(_, let fault): status = ExitStatus(fault)
        }
        self.init(status, error.description)
    }

    /// Words an error of the format.
    init(_ error: VolumeFormatError) {
        self.init(.data, error.description)
    }
}

extension ExitStatus {
    /// What a file's fault makes of the run.
    init(_ fault: TransferFault) {
        switch fault {
        case .damaged, .damagedBlocks, .invalidTarget: self = .data
        case .attributes(let fault): self.init(fault)
        case .system, .name, .reservedName, .changed, .notStored, .interrupted: self = .inputOutput
        }
    }
}
