extension Administration {
    /// Gives nobody a key from this moment on, over restarts too.
    ///
    /// - Parameter reason: For the record; empty for none.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func lockDown(reason: String) throws(KeyServerError) {
        try perform("lockdown.on") { store, now throws(KeyServerError) in
            try store.setLockdown(Lockdown(since: now, reason: reason))
            return ((), ["reason": reason.isEmpty ? nil : .text(reason)])
        }
    }

    /// Ends a lockdown.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func liftLockdown() throws(KeyServerError) {
        try perform("lockdown.off") { store, _ throws(KeyServerError) in
            try store.setLockdown(nil)
            return ((), [:])
        }
    }

    /// The lockdown in force, if there is one.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func lockdown() throws(KeyServerError) -> Lockdown? {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.lockdown()
        }
    }
}
