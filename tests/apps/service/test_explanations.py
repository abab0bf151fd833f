import asyncio
import threading

import pytest

from exiface.apps.service.explanations import in_place


def test_a_place_is_free_only_once_its_thread_has_ended():
    async def check():
        places, end = asyncio.Semaphore(1), threading.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await in_place(places, end.wait)
        assert places.locked()
        end.set()
        assert await in_place(places, lambda: "next") == "next"
        assert not places.locked()

    asyncio.run(check())


def test_an_error_of_the_work_is_handed_on_and_frees_the_place():
    async def check():
        places = asyncio.Semaphore(1)
        with pytest.raises(ZeroDivisionError):
            await in_place(places, lambda: 1 // 0)
        assert not places.locked()

    asyncio.run(check())
