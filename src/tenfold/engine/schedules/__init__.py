"""Schedules: `factor = schedule(t, total, epoch, …)`, the factor on the learning rate before update t."""
