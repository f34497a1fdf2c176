internal import COpenSSL

/// Runs one OpenSSL call that returns 1 for success.
///
/// The error queue is the calling thread's: it is cleared before, and drained whole after a failure,
/// so that no reason is attributed to a later call.
///
/// - Throws: ``CryptographyError/library(function:reason:)`` with every queued reason.
///
/// C: `ERR_get_error`, `ERR_error_string_n`.
func openSSL(
    _ function: StaticString,
    _ call: () -> Int32
) throws(CryptographyError) {
    libraryIsReady
    ERR_clear_error()
    guard call() == 1 else {
        throw .library(function: "\(function)", reason: drainedErrorQueue())
    }
}

/// Runs one OpenSSL call that returns an object, or null for failure.
///
/// - Throws: ``CryptographyError/library(function:reason:)`` with every queued reason.
func openSSL<Object>(
    _ function: StaticString,
    _ call: () -> Object?
) throws(CryptographyError) -> Object {
    libraryIsReady
    ERR_clear_error()
    guard let object = call() else {
        throw .library(function: "\(function)", reason: drainedErrorQueue())
    }
    return object
}

/// Keeps the library from reading the host's `openssl.cnf`: an image is not to choose our algorithms.
///
/// C: `OPENSSL_init_crypto`.
private let libraryIsReady: Void = {
    _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil)
}()

private func drainedErrorQueue() -> String {
    var reasons: [String] = []
    while true {
        let code = ERR_get_error()
        if code == 0 { break }
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            ERR_error_string_n(code, buffer.baseAddress, buffer.count)
            return buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        reasons.append(text)
    }
    return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
}
